/* Each call to the disk fails in turn under what cares for a vault: checks, copies, purges. What is told as
 * done was done, a disk that refuses a read is no damage, and afterwards the store has all of its jobs. */
#include "tests/integration/vault_common.h"
#include "tests/integration/vault_disk.h"

#include "pds/crypto/sha256.h"
#include "pds/vault/vault_copy.h"
#include "pds/vault/vault_internal.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS_BEFORE = 8, JOBS = 14, CHECKPOINT = 1000 };

static const struct {
    const char *name;
    enum disk_fault fault;
    bool stays;
} FAULTS[] = {
    {"EIO once", DISK_EIO, false},
    {"EIO from then on", DISK_EIO, true},
    {"full once", DISK_FULL, false},
    {"short once", DISK_SHORT, false},
};

static struct home home;
static struct disk_image made;
static const char SQL_LOOK[] = "SELECT count(*) FROM sqlite_schema";

/* A vault with jobs in vault.db and others in its log, which a reader holds back while there is one. */
struct care {
    struct vault *vault;
    struct db *reader; /* NULL: none */
    struct sha256 hash;
    uint64_t announced, got;
};

static enum err begin_copy(void *context, uint64_t size_bytes)
{
    ((struct care *)context)->announced = size_bytes;
    return ERR_OK;
}

static enum err put_copy(void *context, const void *bytes, size_t len)
{
    struct care *c = context;

    c->got += len;
    sha256_add(&c->hash, bytes, len);
    return ERR_OK;
}

/* What is copied is the same each time. */
static enum err copy_with(struct care *c, struct db *seen)
{
    static uint8_t known[2][SHA256_BYTES];
    static bool is_known[2];
    uint8_t digest[SHA256_BYTES];
    size_t held = c->reader && !seen;
    enum err e;

    sha256_init(&c->hash);
    e = vault_copy_seen(c->vault, seen, begin_copy, put_copy, c);
    sha256_end(&c->hash, digest);
    if (e)
        return e;
    assert_int_equal(c->got, c->announced);
    if (is_known[held])
        assert_memory_equal(digest, known[held], sizeof digest);
    memcpy(known[held], digest, sizeof digest);
    is_known[held] = true;
    return ERR_OK;
}

static enum err copy(struct care *c) { return copy_with(c, NULL); }

static enum err copy_seen(struct care *c) { return copy_with(c, c->reader); }

static enum err check(struct care *c)
{
    char text[PROBE_TEXT_BYTES] = "";
    struct vault_check_report report = {0};
    enum err e = vault_check(c->vault, probe_problem, text, &report);

    if (!e && report.problems > 0 && report.unread == 0)
        fail_msg("damage that is none: %s", text);
    return e;
}

static enum err purge(struct care *c) { return vault_purge(c->vault, 0); }

static enum err shrink(struct care *c) { return vault_shrink(c->vault); }

static const struct {
    const char *name;
    enum err (*work)(struct care *c);
    bool held; /* a reader keeps the log from being brought to vault.db */
    enum err clean;
} WORKS[] = {
    {"check", check, false, ERR_OK},
    {"check, log held", check, true, ERR_OK},
    {"copy", copy, false, ERR_OK},
    {"copy, log held", copy, true, ERR_OK},
    {"copy seen", copy_seen, true, ERR_OK},
    {"purge", purge, false, ERR_OK},
    {"purge, log held", purge, true, ERR_BUSY},
    {"shrink", shrink, false, ERR_OK},
};

static void open_vault(struct care *c, bool held)
{
    int64_t rows;

    disk_load(&made);
    writer_set_checkpoint(CHECKPOINT);
    assert_ok(home_open(&home, &c->vault));
    if (held) {
        assert_ok(vault_read(c->vault, &c->reader));
        assert_ok(db_number(c->reader, SQL_LOOK, NO_PARAMS, &rows));
    }
    for (int64_t n = JOBS_BEFORE + 1; n <= JOBS; n++)
        assert_ok(probe_put(c->vault, n));
}

static void must_hold_all(const char *name)
{
    struct vault *v = NULL;
    int64_t found = -1;

    assert_ok(home_open(&home, &v));
    assert_ok(probe_count(v, &found));
    assert_row(name, found == JOBS);
    assert_ok(probe_check(v));
    vault_close(v);
}

static bool run(size_t work, uint64_t nth, size_t fault)
{
    struct care c = {0};
    bool hit;
    enum err e;

    open_vault(&c, WORKS[work].held);
    disk_fail_at(nth, FAULTS[fault].fault, FAULTS[fault].stays);
    e = WORKS[work].work(&c);
    hit = disk_fail_hit();
    disk_fail_at(0, DISK_EIO, false);
    if (!hit)
        assert_row(WORKS[work].name, e == WORKS[work].clean);
    if (e && e != WORKS[work].clean && e != ERR_IO && !(FAULTS[fault].fault == DISK_FULL && e == ERR_FULL))
        fail_msg("%s, call %llu, %s: %s", WORKS[work].name, (unsigned long long)nth, FAULTS[fault].name,
                 err_story());
    vault_read_end(c.vault, c.reader);
    vault_close(c.vault);
    must_hold_all(WORKS[work].name);
    return hit;
}

static void each_failing_call_is_survived(void **state)
{
    uint64_t stride = getenv("TRABOULE_NIGHTLY") ? 1 : 3;

    (void)state;
    for (size_t work = 0; work < COUNT_OF(WORKS); work++) {
        uint64_t calls = 0;

        for (size_t fault = 0; fault < COUNT_OF(FAULTS); fault++) {
            uint64_t nth = 1 + (stride > 1 ? fault % stride : 0);

            for (; run(work, nth, fault); nth += stride)
                calls++;
        }
        print_message("%s: %llu failures\n", WORKS[work].name, (unsigned long long)calls);
    }
}

static int make(void **state)
{
    struct vault *v = NULL;

    (void)state;
    assert_ok(home_create(&home));
    assert_ok(home_open(&home, &v));
    assert_ok(probe_prepare(v));
    for (int64_t n = 1; n <= JOBS_BEFORE; n++)
        assert_ok(probe_put(v, n));
    vault_close(v);
    disk_take(&made);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failing_call_is_survived),
    };
    int failed;

    disk_start();
    home = home_new();
    failed = cmocka_run_group_tests(tests, make, NULL);
    disk_image_done(&made);
    disk_empty();
    home_done(&home);
    return failed;
}
