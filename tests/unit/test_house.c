#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/api/house_internal.h"
#include "pds/api/route.h"
#include "pds/api/session.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"
#include "pds/base/mem.h"
#include "pds/crypto/random.h"
#include "pds/httpd/header.h"
#include "pds/store/dataset.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { T0 = 1800000000 };

static const uint8_t KEY[KEY_BYTES] = {9, 8, 7};
static const struct passphrase_cost CHEAPEST = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
static struct tempdir *dir;
static struct house_key *key;
static struct house *house;

/* What the house told of its open stores. */
static atomic_int opened_count, closing_count, ended_count;
static atomic_bool refuse_opening;

static enum err opened(void *context, struct store *s)
{
    (void)context, (void)s;
    if (atomic_load(&refuse_opening))
        return err_set(ERR_BUSY, "another daemon serves it");
    atomic_fetch_add(&opened_count, 1);
    return ERR_OK;
}

static void closing(void *context, struct store *s)
{
    (void)context, (void)s;
    atomic_fetch_add(&closing_count, 1);
}

static void ended(void *context)
{
    (void)context;
    atomic_fetch_add(&ended_count, 1);
}

static void make_store(const char *name, const uint8_t *with)
{
    static const char PASSPHRASE[] = "quatre chevaux";
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    AUTO(secret_text_freep) struct secret_text *code = NULL;

    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(tempdir_path(dir, name), passphrase, CHEAPEST, with, &code));
}

static void copy_store(const char *from, const char *to)
{
    static const char *const FILES[] = {"keys.json", "vault.db", "lock"};
    char source[FS_PATH_BYTES], target[FS_PATH_BYTES];

    assert_ok(fs_make_private_dir(tempdir_path(dir, to)));
    assert_ok(fs_join(target, tempdir_path(dir, to), "files"));
    assert_ok(fs_make_private_dir(target));
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        AUTO(buf_done) struct buf bytes;

        buf_init(&bytes, 4 * MIB);
        assert_ok(fs_join(source, tempdir_path(dir, from), FILES[i]));
        assert_ok(fs_join(target, tempdir_path(dir, to), FILES[i]));
        assert_ok(fs_read(source, 4 * MIB, &bytes));
        assert_ok(fs_make(target, bytes.data, bytes.len));
    }
}

static struct house *start_house(const struct house_key *with, int64_t idle_ms)
{
    const struct house_options options = {.http = {.listen = "127.0.0.1:0", .cost = CHEAPEST},
                                          .dir = tempdir_root(dir),
                                          .key = with,
                                          .idle_ms = idle_ms,
                                          .watch = {opened, closing, ended, NULL}};
    struct house *h = NULL;

    assert_ok(house_open(&options, &h));
    return h;
}

static int setup(void **state)
{
    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    clock_set(T0);
    key = house_key_new();
    memcpy(key->bytes, KEY, sizeof KEY);
    make_store("a", KEY);
    make_store("b", KEY);
    make_store("locked", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    house_key_free(key);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

static int open_house(void **state)
{
    (void)state;
    atomic_store(&opened_count, 0);
    atomic_store(&closing_count, 0);
    atomic_store(&ended_count, 0);
    house = start_house(key, 3600 * 1000);
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    house_close(house);
    assert_int_equal(atomic_load(&opened_count), atomic_load(&closing_count));
    assert_int_equal(atomic_load(&ended_count), 1);
    return 0;
}

/* One request, whose handler is ours: the api that it was given. */
static struct api *seen;
static struct vault *entered;

static enum err look_at(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    enum err e;

    (void)request;
    seen = api;
    if ((e = store_enter(api->store, &entered)))
        return e;
    store_leave(api->store);
    response->status = 200;
    return ERR_OK;
}

static int ask_as(const char *mount, enum access access, const char *cookie)
{
    struct route route = {.method = "GET", .access = (int)access, .where = RUN_WORKER, .handler = look_at};
    struct headers headers = {0};
    struct request request = {.route = &route,
                              .method = STR("GET"),
                              .path = STR("/x"),
                              .mount = str_of(mount),
                              .now = T0,
                              .transport = &headers};
    struct response response;
    int status;

    if (cookie)
        headers.at[headers.count++] = (struct header){STR("Cookie"), str_of(cookie)};
    seen = NULL;
    response_init(&response);
    house_exchange(&request, &response, house);
    status = response.status;
    response_done(&response);
    return status;
}

static int ask(const char *mount) { return ask_as(mount, ACCESS_ANYONE, NULL); }

static struct resident *resident(const char *name)
{
    for (size_t i = 0; i < house->count; i++) {
        if (strcmp(house->residents[i]->name, name) == 0)
            return house->residents[i];
    }
    return NULL;
}

static void store_opens_with_the_house_s_key_when_it_is_needed(void **state)
{
    (void)state;
    assert_int_equal(house->count, 0); /* nothing is looked at before */
    assert_int_equal(ask("a"), 200);
    assert_string_equal(seen->mount, "/@a");
    assert_int_equal(ask("b"), 200);
    assert_int_equal(ask("locked"), 503);
    assert_int_equal(ask("nobody"), 503);
    assert_int_equal(ask("keys"), 503);
    assert_int_equal(house_open_count(house), 2);
    assert_int_equal(house->count, 3);
    assert_true(store_is_open(resident("a")->api.store));
    assert_true(store_is_open(house->own.store)); /* strangers look as those of the key do */
}

static void strangers_look_locked_in_a_house_without_a_key(void **state)
{
    struct house *with_key = house;

    (void)state;
    house = start_house(NULL, 3600 * 1000);
    assert_int_equal(ask("a"), 503);
    assert_false(store_is_open(resident("a")->api.store));
    assert_false(store_is_open(house->own.store));
    house_close(house);
    house = with_key;
    atomic_store(&ended_count, 0);
}

/* The owner's cookie of a store, in a session that begins now. */
static void sign_in(const char *name, char cookie[static 64])
{
    struct resident *r = resident(name);
    char token[SESSION_TOKEN_TEXT], csrf[SESSION_TOKEN_TEXT];

    assert_ok(session_begin(r->api.sessions, store_opening(r->api.store), T0, token, csrf));
    (void)snprintf(cookie, 64, "traboule=%s", token);
}

static void sessions_outlive_a_rest_but_not_a_lock(void **state)
{
    struct resident *a;
    char cookie[64];
    uint64_t opening;

    (void)state;
    assert_int_equal(ask("a"), 200);
    a = resident("a");
    opening = store_opening(a->api.store);
    sign_in("a", cookie);
    assert_int_equal(ask_as("a", ACCESS_OWNER, cookie), 200);
    assert_int_equal(ask_as("b", ACCESS_OWNER, cookie), 401);
    assert_ok(store_rest(a->api.store));
    assert_false(store_is_awake(a->api.store));
    assert_int_equal(store_opening(a->api.store), opening);
    assert_int_equal(ask_as("a", ACCESS_OWNER, NULL), 401);
    assert_false(store_is_awake(a->api.store)); /* a stranger does not open it */
    assert_int_equal(ask_as("a", ACCESS_OWNER, cookie), 200);
    assert_true(store_is_awake(a->api.store));
    assert_ok(api_lock(&a->api));
    assert_int_equal(ask_as("a", ACCESS_OWNER, cookie), 503);
    assert_int_equal(ask("a"), 503); /* nor does the key, until somebody signs in */
    assert_ok(store_rest(a->api.store) ? ERR_OK : ERR_INTERNAL);
    assert_int_equal(ask("a"), 503);
}

static void a_lock_during_the_rest_is_a_lock(void **state)
{
    (void)state;
    assert_int_equal(ask("a"), 200);
    assert_ok(store_rest(resident("a")->api.store));
    assert_ok(api_lock(&resident("a")->api));
    assert_false(store_is_open(resident("a")->api.store));
    assert_int_equal(ask("a"), 503);
}

static void what_nobody_uses_is_closed(void **state)
{
    AUTO(store_key_freep) struct store_key *root = NULL;
    AUTO(secret_text_freep) struct secret_text *passphrase = NULL;
    char cookie[64];
    struct store *locked;

    (void)state;
    assert_int_equal(ask("a"), 200);
    assert_int_equal(ask("locked"), 503);
    locked = resident("locked")->api.store;
    assert_ok(secret_text_new("quatre chevaux", 14, &passphrase));
    assert_ok(store_key_of_passphrase(locked, passphrase, &root));
    assert_ok(store_unlock(locked, root, T0));
    sign_in("locked", cookie);
    assert_int_equal(ask_as("locked", ACCESS_OWNER, cookie), 200);
    house_tidy(house);
    assert_int_equal(house_open_count(house), 2); /* they were used just now */
    house->idle_ms = 0;
    assert_ok(store_enter(locked, &entered));
    house_tidy(house);
    assert_true(store_is_awake(locked)); /* somebody is inside */
    store_leave(locked);
    house_tidy(house);
    assert_int_equal(house_open_count(house), 0);
    assert_true(store_is_open(resident("a")->api.store)); /* at rest */
    assert_false(store_is_open(locked));                  /* locked: nobody here can open it again */
    assert_int_equal(ask_as("locked", ACCESS_OWNER, cookie), 503);
    assert_int_equal(ask("a"), 200);
}

static void few_are_open_and_the_least_used_gives_way(void **state)
{
    enum { COPIES = LIMIT_STORES_OPEN + 4 };
    char name[16];

    (void)state;
    assert_int_equal(ask("a"), 200);
    for (int i = 0; i < COPIES; i++) {
        (void)snprintf(name, sizeof name, "copy-%d", i);
        copy_store("b", name);
        assert_int_equal(ask(name), 200);
        assert_true(house_open_count(house) <= LIMIT_STORES_OPEN);
    }
    house_tidy(house);
    assert_true(house_open_count(house) <= LIMIT_STORES_OPEN - LIMIT_STORES_SPARE);
    assert_false(store_is_awake(resident("a")->api.store));
    assert_false(store_is_awake(resident("copy-2")->api.store));
    assert_true(store_is_awake(resident(name)->api.store)); /* the last one */
    for (int i = COPIES - LIMIT_STORES_OPEN; i < COPIES; i++) {
        (void)snprintf(name, sizeof name, "copy-%d", i);
        assert_ok(store_enter(resident(name)->api.store, &entered));
    }
    assert_int_equal(ask("a"), 503); /* all are in use: later */
    store_leave(resident(name)->api.store);
    assert_int_equal(ask("a"), 200);
    for (int i = COPIES - LIMIT_STORES_OPEN; i < COPIES - 1; i++) {
        (void)snprintf(name, sizeof name, "copy-%d", i);
        store_leave(resident(name)->api.store);
    }
    for (int i = 0; i < COPIES; i++) {
        (void)snprintf(name, sizeof name, "copy-%d", i);
        store_remove(tempdir_path(dir, name));
    }
}

static void folder_that_goes_takes_its_sessions_along(void **state)
{
    char cookie[64];
    struct store *gone;

    (void)state;
    copy_store("b", "late");
    assert_int_equal(ask("late"), 200);
    sign_in("late", cookie);
    gone = resident("late")->api.store;
    assert_int_equal(rename(tempdir_path(dir, "late"), tempdir_path(dir, "away")), 0);
    assert_int_equal(ask_as("late", ACCESS_OWNER, cookie), 401);
    assert_null(resident("late"));
    for (int i = 0; i < 200 && store_is_awake(gone); i++)
        (void)usleep(10000);
    house_tidy(house);
    assert_false(store_is_awake(gone)); /* its keys are wiped */
    assert_int_equal(rename(tempdir_path(dir, "away"), tempdir_path(dir, "late")), 0);
    assert_int_equal(ask("late"), 200);
    assert_int_equal(ask_as("late", ACCESS_OWNER, cookie), 401);
    store_remove(tempdir_path(dir, "late"));
    assert_int_equal(ask("late"), 503);
}

static void store_that_the_watch_refuses_is_busy(void **state)
{
    (void)state;
    atomic_store(&refuse_opening, true);
    assert_int_equal(ask("a"), 503);
    assert_int_equal(house_open_count(house), 0);
    atomic_store(&refuse_opening, false);
    assert_int_equal(ask("a"), 200);
}

static void slot_that_was_taken_away_leaves_it_locked(void **state)
{
    struct resident *a;

    (void)state;
    assert_int_equal(ask("a"), 200);
    a = resident("a");
    assert_ok(store_rest(a->api.store));
    key->bytes[0] ^= 1;
    assert_int_equal(ask("a"), 503);
    key->bytes[0] ^= 1;
    assert_false(store_is_open(a->api.store));
    assert_int_equal(ask("a"), 503);
}

/* Many threads at one store at rest: one opens it, all get in. */
static void *ask_from_elsewhere(void *context)
{
    struct vault *vault;
    enum err e = store_enter(context, &vault);

    if (!e)
        store_leave(context);
    return e ? context : NULL;
}

static void all_who_come_at_once_get_in(void **state)
{
    pthread_t threads[8];
    void *failed;
    struct store *a;

    (void)state;
    assert_int_equal(ask("a"), 200);
    a = resident("a")->api.store;
    for (int round = 0; round < 5; round++) {
        assert_ok(store_rest(a));
        for (size_t i = 0; i < COUNT_OF(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, ask_from_elsewhere, a), 0);
        for (size_t i = 0; i < COUNT_OF(threads); i++) {
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
    }
}

static void a_store_takes_its_share_of_the_workers_only(void **state)
{
    (void)state;
    assert_int_equal(ask("a"), 200);
    atomic_store(&resident("a")->at_work, LIMIT_WORKERS_STORE);
    assert_int_equal(ask("a"), 503);
    assert_null(seen);
    assert_int_equal(ask("b"), 200);
    atomic_store(&resident("a")->at_work, LIMIT_WORKERS_STORE - 1);
    assert_int_equal(ask("a"), 200);
    assert_int_equal(atomic_load(&resident("a")->at_work), LIMIT_WORKERS_STORE - 1);
}

/* As a store of that name would: else it would be known by what others of its kind have to do. */
static void a_name_without_a_store_takes_its_share_of_the_workers_only(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMIT_WORKERS_STORE; i++) {
        assert_true(house_stranger_enter(house, STR("nobody")));
        assert_int_equal(ask("nobody-else"), 503);
        assert_non_null(seen); /* as locked as ever */
    }
    assert_int_equal(ask("nobody"), 503);
    assert_null(seen);
    for (unsigned i = LIMIT_WORKERS_STORE; i < LIMIT_WORKERS; i++)
        assert_true(house_stranger_enter(house, STR("another")));
    for (unsigned i = LIMIT_WORKERS_STORE; i < LIMIT_WORKERS; i++)
        house_stranger_leave(house, STR("another"));
    for (unsigned i = 0; i < LIMIT_WORKERS_STORE; i++)
        house_stranger_leave(house, STR("nobody"));
    assert_int_equal(ask("nobody"), 503);
    assert_non_null(seen);
}

static char *jwks_of(const char *name)
{
    AUTO(json_freep) json_t *set = NULL;

    assert_ok(house_stranger_jwks(house, str_of(name), &set));
    assert_int_equal(json_array_size(json_object_get(set, "keys")), 2); /* as of a trail just begun */
    return json_dumps(set, JSON_COMPACT);
}

static void a_name_without_a_store_has_keys_of_its_own_for_ever(void **state)
{
    struct house *first = house;
    AUTO(json_freep) json_t *none = NULL;
    char *one = jwks_of("nobody"), *other = jwks_of("somebody"), *again, *key_gone;

    (void)state;
    assert_string_not_equal(one, other);
    house = start_house(key, 3600 * 1000);
    again = jwks_of("nobody");
    assert_string_equal(one, again);
    house_close(house);
    key->bytes[0] ^= 1;
    house = start_house(key, 3600 * 1000);
    key_gone = jwks_of("nobody");
    assert_string_not_equal(one, key_gone);
    house_close(house);
    key->bytes[0] ^= 1;
    house = start_house(NULL, 3600 * 1000);
    assert_err(house_stranger_jwks(house, STR("nobody"), &none), ERR_LOCKED);
    house_close(house);
    house = first;
    atomic_store(&ended_count, 0);
    free(one), free(other), free(again), free(key_gone);
}

static void house_survives_each_failing_allocation(void **state)
{
    const struct house_options options = {.http = {.listen = "127.0.0.1:0", .cost = CHEAPEST},
                                          .dir = tempdir_root(dir)};
    struct house *h = NULL;
    long live = mem_live();
    enum err e;

    (void)state;
    FAIL_EACH_ALLOCATION (e, house_open(&options, &h)) {
        assert_null(h);
        assert_int_equal(mem_live(), live);
    }
    house_close(h);
    assert_int_equal(mem_live(), live);
}

static void house_needs_its_folder(void **state)
{
    const struct house_options options = {.http = {.listen = "127.0.0.1:0", .cost = CHEAPEST},
                                          .dir = tempdir_path(dir, "nothing")};
    struct house *h = NULL;

    (void)state;
    assert_err(house_open(&options, &h), ERR_NOT_FOUND);
    assert_null(h);
    house_close(h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)
    const struct CMUnitTest tests[] = {
        TEST(store_opens_with_the_house_s_key_when_it_is_needed),
        TEST(strangers_look_locked_in_a_house_without_a_key),
        TEST(sessions_outlive_a_rest_but_not_a_lock),
        TEST(a_lock_during_the_rest_is_a_lock),
        TEST(what_nobody_uses_is_closed),
        TEST(few_are_open_and_the_least_used_gives_way),
        TEST(folder_that_goes_takes_its_sessions_along),
        TEST(store_that_the_watch_refuses_is_busy),
        TEST(slot_that_was_taken_away_leaves_it_locked),
        TEST(all_who_come_at_once_get_in),
        TEST(a_store_takes_its_share_of_the_workers_only),
        TEST(a_name_without_a_store_takes_its_share_of_the_workers_only),
        TEST(a_name_without_a_store_has_keys_of_its_own_for_ever),
        cmocka_unit_test(house_survives_each_failing_allocation),
        cmocka_unit_test(house_needs_its_folder),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
