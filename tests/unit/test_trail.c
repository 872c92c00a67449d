#include "tests/harness/fault.h"
#include "tests/harness/test.h"
#include "tests/harness/tmpvault.h"

#include "pds/audit/trail.h"
#include "pds/audit/trail_internal.h"
#include "pds/audit/trail_line.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"

enum { NOW = 1700000000 };

/* What a write does here. */
struct act {
    struct event event;
    int64_t now, index, before;
    int times;
};

static enum err add_work(struct db *db, void *context)
{
    struct act *a = context;
    enum err e = ERR_OK;

    for (int i = 0; i < a->times && !e; i++)
        e = trail_add(db, &a->event, a->now, &a->index);
    return e;
}

static enum err begin_work(struct db *db, void *context)
{
    return trail_begin(db, TMPVAULT_ID, ((struct act *)context)->now);
}

static enum err rekey_work(struct db *db, void *context)
{
    return trail_rekey(db, ((struct act *)context)->now);
}

static enum err blank_work(struct db *db, void *context)
{
    return trail_blank(db, ((struct act *)context)->before);
}

static enum err add(struct tmpvault *v, struct event event, int64_t now, int times, int64_t *index)
{
    struct act a = {.event = event, .now = now, .times = times};
    enum err e = vault_write(v->vault, add_work, &a);

    if (index)
        *index = a.index;
    return e;
}

static void begin(struct tmpvault *v)
{
    struct act a = {.now = NOW};

    assert_ok(vault_write(v->vault, begin_work, &a));
}

static const struct event PUT = {EVENT_RECORDS_PUT, "owner", "energy.gas.consumption", NULL};

static void lines_are_numbered_from_nought(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    int64_t index, size, at;

    (void)state;
    begin(v);
    assert_ok(add(v, PUT, NOW + 5, 1, &index));
    assert_int_equal(index, 1);
    assert_ok(add(v, PUT, NOW + 6, 9, &index));
    assert_int_equal(index, 10);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_size(r.db, &size));
    assert_int_equal(size, 11);
    assert_ok(trail_time(r.db, &at));
    assert_int_equal(at, NOW + 6);
}

static void an_empty_trail_has_no_time(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    struct tlog_verifier key;
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    int64_t at;
    bool begun = true;

    (void)state;
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_time(r.db, &at));
    assert_int_equal(at, 0);
    assert_ok(trail_is_begun(r.db, &begun));
    assert_false(begun);
    assert_err(trail_signer(r.db, &key, seed), ERR_NOT_FOUND);
}

static void a_trail_begins_once(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    struct trail_key key, again;
    bool begun = false;
    int64_t size;

    (void)state;
    begin(v);
    begin(v);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_size(r.db, &size));
    assert_int_equal(size, 1);
    assert_ok(trail_is_begun(r.db, &begun));
    assert_true(begun);
    assert_ok(trail_key_next(r.db, 0, &key));
    assert_string_equal(key.verifier.name, "traboule.invalid/07000000000000000000000000000000");
    assert_false(key.retired);
    assert_err(trail_key_next(r.db, key.number, &again), ERR_NOT_FOUND);
}

/* The times that a clock tells, and those that the lines then have. */
static void time_never_runs_back(void **state)
{
    static const struct {
        const char *name;
        int64_t now, at;
    } ROWS[] = {
        {"first", NOW, NOW},
        {"a second back", NOW - 1, NOW},
        {"a year back", NOW - 365 * 86400, NOW},
        {"on", NOW + 1, NOW + 1},
        {"long before", INT64_MIN, NOW + 1},
        {"2038", INT64_C(1) << 31, INT64_C(1) << 31},
        {"back", NOW, INT64_C(1) << 31},
        {"the last instant with a text", INT64_MAX, CLOCK_TEXT_MAX},
        {"and on", INT64_MAX, CLOCK_TEXT_MAX},
    };
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        AUTO(reader_done) struct reader r = {v->vault, NULL};
        int64_t at;

        assert_ok(add(v, PUT, ROWS[i].now, 1, NULL));
        assert_ok(vault_read(v->vault, &r.db));
        assert_ok(trail_time(r.db, &at));
        assert_row(ROWS[i].name, at == ROWS[i].at);
    }
}

static void what_is_no_text_of_an_event_is_refused(void **state)
{
    static char longer[EVENT_WHAT_BYTES + 2];
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();

    (void)state;
    memset(longer, 'a', EVENT_WHAT_BYTES + 1);
    assert_err(add(v, (struct event){EVENT_ERASED, "owner", longer, NULL}, NOW, 1, NULL), ERR_TOO_LARGE);
    assert_err(add(v, (struct event){EVENT_ERASED, longer, "", NULL}, NOW, 1, NULL), ERR_TOO_LARGE);
    assert_err(add(v, (struct event){EVENT_ERASED, "owner", "", longer}, NOW, 1, NULL), ERR_TOO_LARGE);
    assert_err(add(v, (struct event){EVENT_ERASED, "owner", "\xff", NULL}, NOW, 1, NULL), ERR_INVALID);
    longer[EVENT_WHAT_BYTES] = '\0';
    assert_ok(add(v, (struct event){EVENT_ERASED, "owner", longer, "c1"}, NOW, 1, NULL));
    memset(longer, 1, EVENT_WHAT_BYTES); /* each takes six bytes */
    assert_ok(add(v, (struct event){EVENT_ERASED, "owner", longer, "c1"}, NOW, 1, NULL));
}

static void a_line_comes_with_its_write_or_not_at_all(void **state)
{
    static const struct event BAD = {EVENT_ERASED, "owner", "\xff", NULL};
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    int64_t size;

    (void)state;
    begin(v);
    assert_err(add(v, BAD, NOW, 1, NULL), ERR_INVALID);
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_size(r.db, &size));
    assert_int_equal(size, 1);
}

static void a_fresh_key_retires_the_old_one(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    struct act a = {.now = NOW + 1};
    struct trail_key first, second;
    struct tlog_verifier signer;
    int64_t size;

    (void)state;
    begin(v);
    assert_ok(vault_write(v->vault, rekey_work, &a));
    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_key_next(r.db, 0, &first));
    assert_ok(trail_key_next(r.db, first.number, &second));
    assert_true(first.retired);
    assert_false(second.retired);
    assert_string_equal(first.verifier.name, second.verifier.name);
    assert_memory_not_equal(first.verifier.public_key, second.verifier.public_key, SIGN_PUBLIC_BYTES);
    assert_ok(trail_signer(r.db, &signer, seed));
    assert_memory_equal(signer.public_key, second.verifier.public_key, SIGN_PUBLIC_BYTES);
    assert_ok(trail_size(r.db, &size));
    assert_int_equal(size, 2);
}

static void a_trail_that_has_not_begun_has_no_key_to_retire(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    struct act a = {.now = NOW};

    (void)state;
    assert_err(vault_write(v->vault, rekey_work, &a), ERR_NOT_FOUND);
}

/* Places of the first nodes, as they come about. */
static void nodes_join_at_the_end(void **state)
{
    static const struct {
        unsigned level;
        int64_t number, place;
    } ROWS[] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 2},  {0, 2, 3},  {0, 3, 4},  {1, 1, 5},  {2, 0, 6},  {0, 4, 7},
                {0, 5, 8}, {1, 2, 9}, {0, 6, 10}, {0, 7, 11}, {1, 3, 12}, {2, 1, 13}, {3, 0, 14}, {0, 8, 15}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_int_equal(trail_node_place(ROWS[i].level, ROWS[i].number), ROWS[i].place);
}

static void each_node_stands_over_its_two(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    struct tlog_hash left, right, above, wanted;

    (void)state;
    assert_ok(add(v, PUT, NOW, 100, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    for (unsigned level = 1; level < 7; level++) {
        for (int64_t number = 0; (number + 1) << level <= 100; number++) {
            assert_ok(trail_node(r.db, level - 1, 2 * number, &left));
            assert_ok(trail_node(r.db, level - 1, 2 * number + 1, &right));
            assert_ok(trail_node(r.db, level, number, &above));
            tlog_parent(&left, &right, &wanted);
            assert_memory_equal(above.bytes, wanted.bytes, TLOG_HASH_BYTES);
        }
    }
    assert_err(trail_node(r.db, 0, 100, &left), ERR_CORRUPT);
    assert_err(trail_node(r.db, 7, 0, &left), ERR_CORRUPT);
}

static void erased_lines_keep_their_hash(void **state)
{
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    struct tlog_hash before[8], after;
    struct act a = {.before = 4};

    (void)state;
    assert_ok(add(v, PUT, NOW, 8, NULL));
    assert_ok(vault_read(v->vault, &r.db));
    for (int i = 0; i < 8; i++)
        assert_ok(trail_node(r.db, 0, i, &before[i]));
    vault_read_end(v->vault, r.db);
    r.db = NULL;
    assert_ok(vault_write(v->vault, blank_work, &a));
    assert_ok(vault_read(v->vault, &r.db));
    for (int i = 0; i < 8; i++) {
        assert_ok(trail_node(r.db, 0, i, &after));
        assert_memory_equal(before[i].bytes, after.bytes, TLOG_HASH_BYTES);
    }
}

/* A write whose work fails at its nth allocation, in the thread that carries it out. */
struct faulty {
    vault_work *work;
    void *context;
    long nth;
    bool hit;
};

static enum err faulty_work(struct db *db, void *context)
{
    struct faulty *f = context;
    enum err e;

    mem_fail_at(f->nth);
    e = f->work(db, f->context);
    f->hit = mem_fail_hit();
    mem_fail_at(0);
    return e;
}

static int64_t size_of(struct tmpvault *v)
{
    AUTO(reader_done) struct reader r = {v->vault, NULL};
    int64_t size;

    assert_ok(vault_read(v->vault, &r.db));
    assert_ok(trail_size(r.db, &size));
    return size;
}

/* Each allocation of it fails in turn: that write is told as failed, and left no line. */
static void write_with_each_failing_allocation(struct tmpvault *v, vault_work *work, struct act *act)
{
    int64_t before = size_of(v);
    struct faulty f = {.work = work, .context = act, .nth = 1};

    for (; f.nth == 1 || f.hit; f.nth++) {
        enum err e = vault_write(v->vault, faulty_work, &f);

        assert_int_equal(e, f.hit ? ERR_NO_MEMORY : ERR_OK);
        if (e)
            assert_int_equal(size_of(v), before);
    }
    assert_true(f.nth > 2); /* something failed */
}

static void writing_survives_each_failing_allocation(void **state)
{
    static const struct {
        const char *name;
        vault_work *work;
        int64_t lines; /* afterwards */
    } ROWS[] = {{"trail_begin", begin_work, 1},
                {"trail_add", add_work, 2},
                {"trail_rekey", rekey_work, 3},
                {"trail_blank", blank_work, 3}};
    AUTO(tmpvault_freep) struct tmpvault *v = tmpvault_new();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct act a = {.event = PUT, .now = NOW, .times = 1, .before = 2};

        write_with_each_failing_allocation(v, ROWS[i].work, &a);
        assert_row(ROWS[i].name, size_of(v) == ROWS[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_numbered_from_nought),
        cmocka_unit_test(an_empty_trail_has_no_time),
        cmocka_unit_test(a_trail_begins_once),
        cmocka_unit_test(time_never_runs_back),
        cmocka_unit_test(what_is_no_text_of_an_event_is_refused),
        cmocka_unit_test(a_line_comes_with_its_write_or_not_at_all),
        cmocka_unit_test(a_fresh_key_retires_the_old_one),
        cmocka_unit_test(a_trail_that_has_not_begun_has_no_key_to_retire),
        cmocka_unit_test(nodes_join_at_the_end),
        cmocka_unit_test(each_node_stands_over_its_two),
        cmocka_unit_test(erased_lines_keep_their_hash),
        cmocka_unit_test(writing_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
