/* Measuring this machine: a throw-away store beside STORE, real writes, real reads. */
#include "pds/cli/command.h"

#include "connectors/runner/intake.h"
#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/zone.h"
#include "pds/cli/bench_year.h"
#include "pds/store/query_text.h"
#include "pds/store/source.h"
#include "pds/vault/vault.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { YEARS = 10, WRITERS = 16, WRITE_SECONDS = 2, DAY_QUERIES = 50 };

const struct opt BENCH_OPTIONS[] = {
    OPTION_JSON,
    OPTIONS_END,
};

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct bench {
    struct invocation *inv;
    char dir[FS_PATH_BYTES];
    struct store *store;
    json_t *figures; /* owned */
};

static void figure(struct bench *b, const char *name, double value, const char *unit)
{
    if (!command_has(b->inv, "json"))
        (void)fprintf(b->inv->out, "%-34s %12.1f %s\n", name, value, unit);
    (void)json_object_set_new(b->figures, name,
                              json_real(value)); /* it was printed, or the answer lacks one */
}

/* One write job: a record of its own, so that nothing is the same twice. */
static atomic_long next_record;

static enum err write_one(struct db *db, void *context)
{
    const int64_t *series = context;
    int64_t start = (int64_t)atomic_fetch_add(&next_record, 1) * 1800;
    struct record r = {.series_id = *series,
                       .start_at = start,
                       .end_at = start + 1800,
                       .quality = RECORD_MEASURED,
                       .present = 1};
    enum record_outcome outcome;

    r.values[0] = start % 997;
    return record_put(db, &r, &outcome);
}

struct writer {
    struct vault *vault;
    int64_t series;
    int64_t until_ns;
    long done;
};

static void *writer_thread(void *context)
{
    struct writer *w = context;

    while (now_ns() < w->until_ns && !vault_write(w->vault, write_one, &w->series))
        w->done++;
    return NULL;
}

static double writes_per_second(struct vault *vault, int64_t series, int count)
{
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    int64_t begin = now_ns();
    long done = 0;
    int started = 0;

    for (; started < count; started++) {
        writers[started] = (struct writer){vault, series, begin + WRITE_SECONDS * 1000000000LL, 0};
        if (pthread_create(&threads[started], NULL, writer_thread, &writers[started]))
            break;
    }
    for (int i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
        done += writers[i].done;
    }
    return (double)done * 1e9 / (double)(now_ns() - begin);
}

struct series_work {
    int64_t id;
};

static enum err make_series(struct db *db, void *context)
{
    struct series_work *w = context;

    return source_series(db, "energy.electricity.production", "bench", STR(""), "curve", 0, &w->id);
}

static enum err bench_writes(struct bench *b, struct vault *vault)
{
    struct series_work w;
    enum err e;

    if ((e = vault_write(vault, make_series, &w)))
        return e;
    figure(b, "durable_writes_1_per_s", writes_per_second(vault, w.id, 1), "/s");
    figure(b, "durable_writes_16_per_s", writes_per_second(vault, w.id, WRITERS), "/s");
    return ERR_OK;
}

static enum err bench_import(struct bench *b, struct vault *vault)
{
    AUTO(json_freep) json_t *entries = json_array();
    struct intake_options options = {.vault = vault, .zone = zone_paris(), .now = b->inv->now};
    int64_t lines = 0, begin, spent = 0;
    enum err e;

    for (int year = 2025 - YEARS; year < 2025; year++) {
        AUTO(buf_done) struct buf csv;
        struct bench_text text = {&csv, 0};
        struct reading_input input = {.read = bench_text_read, .context = &text};

        buf_init(&csv, 8 * MIB);
        lines += bench_year_csv(year, &csv);
        if ((e = buf_err(&csv)))
            return e;
        begin = now_ns();
        if ((e = intake_file(&options, STR("bench.csv"), &input, entries)))
            return e;
        spent += now_ns() - begin;
    }
    figure(b, "import_csv_rows_per_s", (double)lines * 1e9 / (double)spent, "rows/s");
    return ERR_OK;
}

/* Run a query to its end as JSON; rows in *rows. */
static enum err run_query(struct bench *b, const struct query_options *options, int64_t *rows)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(query_freep) struct query *q = NULL;
    AUTO(buf_done) struct buf piece;
    struct query_text text;
    enum err e;

    buf_init(&piece, MIB);
    if ((e = store_view(b->store, &view)) || (e = query_new(view.db, options, &q)))
        return e;
    query_text_init(&text, q, options, QUERY_JSON, INT64_MAX);
    while (!text.ended) {
        buf_clear(&piece);
        if ((e = query_text_fill(&text, &piece, 64 * KIB)))
            return e;
    }
    *rows = text.given;
    return ERR_OK;
}

static enum err bench_reads(struct bench *b)
{
    struct query_options o = {.from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    int64_t rows = 0, begin, slowest = 0, sum = 0;
    enum err e;

    if ((e = dataset_find(STR("energy.electricity.consumption"), &o.dataset)))
        return e;
    begin = now_ns();
    if ((e = run_query(b, &o, &rows)))
        return e;
    figure(b, "range_read_json_rows_per_s", (double)rows * 1e9 / (double)(now_ns() - begin), "rows/s");
    o.step = STEP_P1D;
    for (int i = 0; i < DAY_QUERIES; i++) {
        int64_t took;

        o.from = clock_days(2016 + i % (YEARS - 2), 1, 1) * 86400;
        o.to = clock_days(2017 + i % (YEARS - 2), 1, 1) * 86400;
        begin = now_ns();
        if ((e = run_query(b, &o, &rows)))
            return e;
        took = now_ns() - begin;
        sum += took;
        slowest = took > slowest ? took : slowest;
    }
    figure(b, "year_by_day_mean_ms", (double)sum / DAY_QUERIES / 1e6, "ms");
    figure(b, "year_by_day_max_ms", (double)slowest / 1e6, "ms");
    return ERR_OK;
}

static enum err bench_store(struct bench *b, const struct secret_text *passphrase)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    struct vault *vault;
    int64_t begin = now_ns();
    enum err e;

    if ((e = store_key_of_passphrase(b->store, passphrase, &root)))
        return e;
    figure(b, "passphrase_derivation_ms", (double)(now_ns() - begin) / 1e6, "ms");
    begin = now_ns();
    if ((e = store_unlock(b->store, root, b->inv->now)))
        return e;
    figure(b, "open_ms", (double)(now_ns() - begin) / 1e6, "ms");
    if ((e = store_enter(b->store, &vault)))
        return e;
    if (!(e = bench_writes(b, vault)) && !(e = bench_import(b, vault)))
        e = bench_reads(b);
    store_leave(b->store);
    if (e)
        return e;
    store_lock(b->store);
    begin = now_ns();
    if ((e = store_unlock(b->store, root, b->inv->now)))
        return e;
    figure(b, "open_ten_years_ms", (double)(now_ns() - begin) / 1e6, "ms");
    return ERR_OK;
}

static void remove_store(const char *dir)
{
    static const char *const NAMES[] = {"vault.db", "vault.db-wal", "keys.json", "lock"};
    char path[FS_PATH_BYTES];

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!fs_join(path, dir, NAMES[i]))
            (void)unlink(path); /* what is not there is gone already */
    }
    if (!fs_join(path, dir, "files"))
        (void)rmdir(path);
    (void)rmdir(dir);
}

enum err cmd_bench(struct invocation *inv)
{
    static const char PASSPHRASE[] = "a store that is thrown away";
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    AUTO(json_freep) json_t *figures = json_object();
    struct bench b = {.inv = inv, .figures = figures};
    enum err e;

    if (!figures ||
        snprintf(b.dir, sizeof b.dir, "%s.bench-%d", inv->opts->args[0], (int)getpid()) >= (int)sizeof b.dir)
        return err_set(ERR_TOO_LARGE, "the store's path");
    if ((e = secret_text_new(PASSPHRASE, sizeof PASSPHRASE - 1, &passphrase)) ||
        (e = store_create(b.dir, passphrase, passphrase_cost_here(), NULL, &code)))
        return e;
    if (!(e = store_new(b.dir, &b.store)))
        e = bench_store(&b, passphrase);
    store_free(b.store);
    remove_store(b.dir);
    return e || !command_has(inv, "json") ? e : command_json(inv, figures);
}
