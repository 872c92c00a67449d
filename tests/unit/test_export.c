/* What an export holds, and what its digests depend on. */
#include "tests/harness/fault.h"
#include "tests/harness/portable.h"

#include "pds/audit/trail.h"

static int64_t count_text(const struct buf *b, const char *text)
{
    int64_t n = 0;

    for (const char *at = b->data; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void an_export_holds_its_parts(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(buf_done) struct buf zip, package, csv, gpx, notes;

    (void)state;
    portable_furnish(t);
    portable_export(t, &zip);
    portable_entry(&zip, "datapackage.json", &package);
    assert_int_equal(
        count_text(&package, "\"path\":\"data/energy.electricity.consumption--enedis-01234567890123"), 2);
    assert_int_equal(count_text(&package, "--curve-2.csv"), 2); /* in name and path: the other has its own */
    assert_int_equal(count_text(&package, "\"unit\":\"Wh\""), 2);
    assert_int_equal(count_text(&package, "\"unit\":\"m\""), 2);
    portable_entry(&zip, "data/mobility.position--owntracks-phone--curve.csv", &csv);
    assert_int_equal(count_text(&csv, "\n"), 6);
    assert_int_equal(count_text(&csv,
                                "2024-05-01T00:00:00Z,2024-05-01T00:00:00Z,-45.764043,-4.8356589,12.5,-3.2,"
                                "measured,"),
                     1);
    portable_entry(&zip, "places/mobility.position--owntracks-phone--curve.gpx", &gpx);
    assert_int_equal(count_text(&gpx, "<trkpt lat=\"-45.764043\" lon=\"-4.8356589\"><ele>-3.2</ele>"), 1);
    assert_int_equal(count_text(&gpx, "<trkpt "), 5);
    portable_entry(&zip, "data/annotations.csv", &notes);
    assert_int_equal(count_text(&notes, "\"'=HYPERLINK(\"\"http://x\"\")\nsecond;'-line\""), 1);
}

static void an_export_is_in_the_trail_it_holds(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(buf_done) struct buf zip, trail;

    (void)state;
    portable_export(t, &zip);
    portable_entry(&zip, "trail.json", &trail);
    assert_int_equal(count_text(&trail, "\"kind\":\"exported\""), 1);
    assert_int_equal(count_text(&trail, "\"checkpoint\":\""), 1);
}

static void digests_tell_what_is_held_and_not_how(void **state)
{
    static const int64_t ENERGY[4] = {601, 0, 0, 0};
    AUTO(tmpstore_freep) struct tmpstore *a = tmpstore_new();
    AUTO(tmpstore_freep) struct tmpstore *b = tmpstore_new();
    char one[PORTABLE_DIGEST], other[PORTABLE_DIGEST];

    (void)state;
    portable_fill(a, "energy.electricity.consumption", "enedis", "1", PORTABLE_START, 10, ENERGY,
                  RECORD_MEASURED);
    portable_fill(a, "energy.gas.consumption", "grdf", "2", PORTABLE_START, 10, ENERGY, RECORD_MEASURED);
    portable_fill(b, "energy.gas.consumption", "grdf", "2", PORTABLE_START, 10, ENERGY, RECORD_MEASURED);
    portable_fill(b, "energy.electricity.consumption", "enedis", "1", PORTABLE_START + 9000, 5,
                  (int64_t[4]){606, 0, 0, 0}, RECORD_MEASURED);
    portable_digest(a, one);
    portable_digest(b, other);
    assert_string_not_equal(one, other);
    portable_fill(b, "energy.electricity.consumption", "enedis", "1", PORTABLE_START, 10, ENERGY,
                  RECORD_MEASURED);
    portable_digest(b, other);
    assert_string_equal(one, other);
    portable_annotate(b, "01HWSMQG00AAAAAAAAAAAAAAAA", "x");
    portable_digest(b, other);
    assert_string_not_equal(one, other);
    portable_fill(a, "energy.gas.consumption", "grdf", "2", PORTABLE_START, 1, ENERGY, RECORD_DEFINITIVE);
    portable_digest(a, other);
    assert_string_not_equal(one, other);
}

static enum err fail_put(void *context, const void *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return err_set(ERR_FULL, "no space");
}

static void failures_come_through(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;

    (void)state;
    portable_furnish(t);
    assert_err(export_make(t->store, fail_put, NULL, TMPSTORE_NOW, &answer), ERR_FULL);
    assert_null(answer);
    store_shut(t->store);
    assert_err(export_digest(t->store, &answer), ERR_LOCKED);
}

struct taker {
    size_t asked, bytes; /* calls without bytes before the first byte; bytes */
    size_t leaves_at;    /* the call without bytes at which it goes */
};

static enum err leave(void *context, const void *bytes, size_t len)
{
    struct taker *r = context;

    (void)bytes;
    r->bytes += len;
    r->asked += r->bytes == 0;
    return r->asked == r->leaves_at ? err_set(ERR_IO, "gone") : ERR_OK;
}

/* Nothing is written before all is measured: who goes meanwhile must not be waited for. */
static void who_does_not_want_it_any_more_is_heard_while_it_is_measured(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    AUTO(json_freep) json_t *answer = NULL;
    struct taker stays = {.leaves_at = 0}, goes = {.leaves_at = 0};

    (void)state;
    portable_fill(t, "water.consumption", "eau", "1", PORTABLE_START, 5000, (int64_t[4]){5}, RECORD_MEASURED);
    portable_add_document(t, "01HWSMQG00DDDDDDDDDDDDDDDD", "x");
    assert_ok(export_make(t->store, leave, &stays, TMPSTORE_NOW, &answer));
    assert_true(stays.asked > 10);
    assert_true(stays.bytes > 0);
    for (size_t n = 1; n <= stays.asked; n++) {
        AUTO(json_freep) json_t *none = NULL;

        goes = (struct taker){.leaves_at = n};
        assert_err(export_make(t->store, leave, &goes, TMPSTORE_NOW, &none), ERR_IO);
        assert_int_equal(goes.bytes, 0);
        assert_int_equal(goes.asked, n);
        assert_null(none);
    }
}

static enum err drop(void *context, const void *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return ERR_OK;
}

static enum err make(struct tmpstore *t)
{
    AUTO(json_freep) json_t *answer = NULL;

    return export_make(t->store, drop, NULL, TMPSTORE_NOW, &answer);
}

static void each_failing_allocation_is_told(void **state)
{
    AUTO(tmpstore_freep) struct tmpstore *t = tmpstore_new();
    enum err e;

    (void)state;
    portable_fill(t, "mobility.position", "owntracks", "phone", PORTABLE_START, 2, (int64_t[4]){1, 2, 3, 4},
                  RECORD_MEASURED);
    portable_annotate(t, "01HWSMQG00AAAAAAAAAAAAAAAA", "x");
    portable_add_document(t, "01HWSMQG00DDDDDDDDDDDDDDDD", "x");
    PORTABLE_FAILING_ALLOCATIONS(nth)
    {
        e = make(t);
        if (!fault_was_hit(e, "make"))
            break;
        assert_true(e == ERR_NO_MEMORY || e == ERR_OK); /* SQLite does with a page less in its cache */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_holds_its_parts),
        cmocka_unit_test(an_export_is_in_the_trail_it_holds),
        cmocka_unit_test(digests_tell_what_is_held_and_not_how),
        cmocka_unit_test(failures_come_through),
        cmocka_unit_test(who_does_not_want_it_any_more_is_heard_while_it_is_measured),
        cmocka_unit_test(each_failing_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
