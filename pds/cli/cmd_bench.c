/* Measuring this machine: a throw-away store beside STORE, real writes, real reads. The store is gone
 * afterwards, also when a measurement fails or is stopped. */
#include "pds/cli/command.h"

#include "connectors/runner/intake.h"
#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/base/zone.h"
#include "pds/cli/bench_year.h"
#include "pds/store/query_text.h"
#include "pds/store/source.h"
#include "pds/vault/vault.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_YEAR = 2015, YEARS = 10, WRITERS = 16, WRITE_SECONDS = 2, DAY_QUERIES = 50 };

const struct opt BENCH_OPTIONS[] = {
    OPTION_JSON,
    OPTIONS_END,
};

enum figure { DERIVATION, OPEN, WRITES_1, WRITES_16, IMPORT, RANGE, DAYS_MEAN, DAYS_MAX, OPEN_TEN_YEARS };

static const struct {
    const char *name; /* in JSON */
    const char *unit, *words;
} FIGURES[] = {
    [DERIVATION] = {"passphrase_derivation_ms", "ms",
                    "to try one passphrase: slow on purpose, for whoever guesses"},
    [OPEN] = {"open_ms", "ms", "to open the empty store, once the passphrase is right"},
    [WRITES_1] = {"durable_writes_1_per_s", "/s",
                  "new readings, one after another, each safe on the disk before the next"},
    [WRITES_16] = {"durable_writes_16_per_s", "/s", "new readings that come 16 at a time, just as safe"},
    [IMPORT] = {"import_csv_rows_per_s", "rows/s", "half-hours taken from files of an electricity provider"},
    [RANGE] = {"range_read_json_rows_per_s", "rows/s", "half-hours given out again as JSON"},
    [DAYS_MEAN] = {"year_by_day_mean_ms", "ms", "to sum up a year by day, on average"},
    [DAYS_MAX] = {"year_by_day_max_ms", "ms", "to sum up a year by day, at worst"},
    [OPEN_TEN_YEARS] = {"open_ten_years_ms", "ms", "to open the store that now holds ten years"},
};

struct bench {
    struct invocation *inv;
    char dir[FS_PATH_BYTES];
    struct store *store;                  /* owned */
    const struct secret_text *passphrase; /* borrowed */
    struct store_key *root;               /* owned */
    struct vault *vault;                  /* borrowed, while the store is entered */
    json_t *figures;                      /* borrowed */
};

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double ms_since(int64_t begin_ns) { return (double)(now_ns() - begin_ns) / 1e6; }

static void figure(struct bench *b, enum figure which, double value)
{
    if (!command_has(b->inv, "json"))
        (void)fprintf(b->inv->out, "%12.1f %-7s %s\n", value, FIGURES[which].unit, FIGURES[which].words);
    (void)fflush(b->inv->out);
    (void)json_object_set_new(b->figures, FIGURES[which].name,
                              json_real(value)); /* it was printed, or the answer lacks one */
}

/* Writing */

struct write_load {
    struct vault *vault;
    int64_t series_id, until_ns;
    atomic_long next; /* record, so that nothing is the same twice */
};

struct writer_thread {
    struct write_load *load;
    long done;
    enum err outcome;
};

static enum err write_one(struct db *db, void *context)
{
    struct write_load *load = context;
    int64_t start = (int64_t)atomic_fetch_add(&load->next, 1) * 1800;
    struct record r = {.series_id = load->series_id,
                       .start_at = start,
                       .end_at = start + 1800,
                       .quality = RECORD_MEASURED,
                       .present = 1};
    enum record_outcome outcome;

    r.values[0] = start % 997;
    return record_put(db, &r, &outcome);
}

static void *write_until(void *context)
{
    struct writer_thread *w = context;

    while (!w->outcome && now_ns() < w->load->until_ns) {
        if (!(w->outcome = vault_write(w->load->vault, write_one, w->load)))
            w->done++;
    }
    return NULL;
}

static enum err writes_per_second(struct write_load *load, int count, double *out)
{
    struct writer_thread writers[WRITERS];
    pthread_t threads[WRITERS];
    int64_t begin = now_ns();
    enum err e = ERR_OK;
    long done = 0;
    int started = 0;

    load->until_ns = begin + WRITE_SECONDS * 1000000000LL;
    for (; started < count; started++) {
        writers[started] = (struct writer_thread){load, 0, ERR_OK};
        if (pthread_create(&threads[started], NULL, write_until, &writers[started]))
            break;
    }
    for (int i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL); /* cannot fail: it was started and is joined once */
        done += writers[i].done;
        e = e ? e : writers[i].outcome;
    }
    if (e || started < count)
        return err_set(e ? e : ERR_NO_MEMORY, "writing by %d at once", count);
    *out = (double)done * 1e9 / (double)(now_ns() - begin);
    return ERR_OK;
}

static enum err make_series(struct db *db, void *context)
{
    struct write_load *load = context;

    return source_series(db, "energy.electricity.production", "bench", STR(""), "curve", 0, &load->series_id);
}

static enum err bench_writes(struct bench *b)
{
    struct write_load load = {.vault = b->vault};
    double one, many;
    enum err e;

    if ((e = vault_write(b->vault, make_series, &load)) || (e = writes_per_second(&load, 1, &one)) ||
        (e = writes_per_second(&load, WRITERS, &many)))
        return e;
    figure(b, WRITES_1, one);
    figure(b, WRITES_16, many);
    return ERR_OK;
}

/* Importing */

static enum err import_year(struct bench *b, int year, json_t *entries, int64_t *rows, int64_t *spent_ns)
{
    AUTO(buf_done) struct buf csv;
    struct intake_options options = {.vault = b->vault, .zone = zone_paris(), .now = b->inv->now};
    struct bench_text text = {&csv, 0};
    struct reading_input input = {.read = bench_text_read, .context = &text};
    int64_t begin;
    enum err e;

    buf_init(&csv, 8 * MIB);
    *rows += bench_year_csv(year, &csv);
    if ((e = buf_err(&csv)))
        return e;
    begin = now_ns();
    e = intake_file(&options, STR("bench.csv"), &input, entries);
    *spent_ns += now_ns() - begin;
    return e;
}

static enum err bench_import(struct bench *b)
{
    AUTO(json_freep) json_t *entries = json_array();
    int64_t rows = 0, spent_ns = 0;
    enum err e;

    if (!entries)
        return err_set(ERR_NO_MEMORY, "importing");
    for (int year = FIRST_YEAR; year < FIRST_YEAR + YEARS; year++) {
        if ((e = import_year(b, year, entries, &rows, &spent_ns)))
            return e;
    }
    figure(b, IMPORT, (double)rows * 1e9 / (double)spent_ns);
    return ERR_OK;
}

/* Reading */

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
    *rows = text.given - 1; /* the end counts as one */
    return ERR_OK;
}

static enum err bench_range(struct bench *b)
{
    struct query_options o = {.from = INT64_MIN, .to = INT64_MAX, .zone = zone_paris()};
    int64_t rows, begin;
    enum err e;

    if ((e = dataset_find(STR("energy.electricity.consumption"), &o.dataset)))
        return e;
    begin = now_ns();
    if ((e = run_query(b, &o, &rows)))
        return e;
    figure(b, RANGE, (double)rows * 1e9 / (double)(now_ns() - begin));
    return ERR_OK;
}

static enum err bench_days(struct bench *b)
{
    struct query_options o = {.zone = zone_paris(), .step = STEP_P1D};
    double sum = 0, slowest = 0;
    int64_t rows;
    enum err e;

    if ((e = dataset_find(STR("energy.electricity.consumption"), &o.dataset)))
        return e;
    for (int i = 0; i < DAY_QUERIES; i++) {
        struct civil first = {FIRST_YEAR + i % YEARS, 1, 1, 0, 0, 0}, last = first;
        int64_t begin = now_ns();
        double took;

        last.year++;
        o.from = zone_instant(o.zone, &first, 0);
        o.to = zone_instant(o.zone, &last, 0);
        if ((e = run_query(b, &o, &rows)))
            return e;
        took = ms_since(begin);
        sum += took;
        slowest = took > slowest ? took : slowest;
    }
    figure(b, DAYS_MEAN, sum / DAY_QUERIES);
    figure(b, DAYS_MAX, slowest);
    return ERR_OK;
}

/* Opening */

static enum err bench_derivation(struct bench *b)
{
    int64_t begin = now_ns();
    enum err e;

    if ((e = store_key_of_passphrase(b->store, b->passphrase, &b->root)))
        return e;
    figure(b, DERIVATION, ms_since(begin));
    return ERR_OK;
}

static enum err open_store(struct bench *b, enum figure which)
{
    int64_t begin = now_ns();
    enum err e;

    if ((e = store_unlock(b->store, b->root, b->inv->now)))
        return e;
    figure(b, which, ms_since(begin));
    return store_enter(b->store, &b->vault);
}

static void close_store(struct bench *b)
{
    if (b->vault)
        store_leave(b->store);
    b->vault = NULL;
}

static enum err bench_open(struct bench *b) { return open_store(b, OPEN); }

static enum err bench_open_again(struct bench *b)
{
    enum err e;

    close_store(b);
    if ((e = store_lock(b->store)))
        return e;
    return open_store(b, OPEN_TEN_YEARS);
}

/* All of it */

/* While a store is there the signals that end the program wait, so that it is removed first. */
static void ends_of(sigset_t *out)
{
    (void)sigemptyset(out); /* cannot fail on a set of ours */
    (void)sigaddset(out, SIGINT);
    (void)sigaddset(out, SIGTERM);
    (void)sigaddset(out, SIGHUP);
}

static bool end_is_wanted(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGINT) > 0 || sigismember(&waiting, SIGTERM) > 0 ||
            sigismember(&waiting, SIGHUP) > 0);
}

static enum err bench_all(struct bench *b)
{
    static enum err (*const PARTS[])(struct bench * b) = {
        bench_derivation, bench_open, bench_writes, bench_import, bench_range, bench_days, bench_open_again,
    };
    enum err e;

    if ((e = store_new(b->dir, &b->store)))
        return e;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        if (end_is_wanted())
            return err_set(ERR_TIMEOUT, "stopped");
        if ((e = PARTS[i](b)))
            return err_wrap(e, "measuring");
    }
    return ERR_OK;
}

static enum err run_beside(struct bench *b)
{
    AUTO(secret_text_freep) struct secret_text *code = NULL;
    enum err e;

    if ((e = store_create(b->dir, b->passphrase, passphrase_cost_here(), NULL, &code)))
        return e; /* nothing is left of it */
    e = bench_all(b);
    close_store(b);
    store_free(b->store);
    store_key_free(b->root);
    store_remove(b->dir);
    return e;
}

enum err cmd_bench(struct invocation *inv)
{
    static const char PASSPHRASE[] = "a store that is thrown away";
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(json_freep) json_t *figures = json_object();
    struct bench b = {.inv = inv, .figures = figures};
    struct str beside = str_of(inv->opts->args[0]);
    sigset_t ends, before;
    enum err e;

    while (beside.len > 1 && beside.ptr[beside.len - 1] == '/')
        beside.len--; /* beside the folder, not in it */
    if (!figures)
        return err_set(ERR_NO_MEMORY, "measuring");
    if (snprintf(b.dir, sizeof b.dir, "%.*s.bench-%d", (int)beside.len, beside.ptr, (int)getpid()) >=
        (int)sizeof b.dir)
        return err_set(ERR_TOO_LARGE, "the store's path");
    if ((e = secret_text_new(PASSPHRASE, sizeof PASSPHRASE - 1, &passphrase)))
        return e;
    b.passphrase = passphrase;
    ends_of(&ends);
    (void)pthread_sigmask(SIG_BLOCK, &ends, &before); /* cannot fail with these arguments */
    e = run_beside(&b);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* one that waited ends the program here */
    return e || !command_has(inv, "json") ? e : command_json(inv, figures);
}
