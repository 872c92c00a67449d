#include "tests/harness/tempdir.h"
#include "tests/harness/test.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/cli/control.h"
#include "pds/cli/control_internal.h"
#include "pds/crypto/random.h"
#include "pds/store/dataset.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct tempdir *dir;
static const char *store_path, *output;
static struct store_key *root;
static uint8_t key[KEY_BYTES] = {1, 2, 3};
static int kept_out;

static int open_null(void) { return open("/dev/null", O_RDWR | O_CLOEXEC); }

static int setup(void **state)
{
    static const char PASSPHRASE[] = "a passphrase of the tests";
    const struct passphrase_cost cheap = {PASSPHRASE_PASSES_MIN, PASSPHRASE_MEMORY_KIB_MIN};
    struct secret_text *passphrase = NULL, *code = NULL;
    AUTO(store_freep) struct store *store = NULL;

    (void)state;
    json_start();
    assert_ok(random_start());
    assert_ok(dataset_start());
    dir = tempdir_new();
    store_path = tempdir_path(dir, "store");
    output = tempdir_path(dir, "output");
    assert_ok(secret_text_new(PASSPHRASE, strlen(PASSPHRASE), &passphrase));
    assert_ok(store_create(store_path, passphrase, cheap, key, &code));
    assert_ok(store_new(store_path, &store));
    assert_ok(store_key_of_keyfile(store, key, &root));
    secret_text_free(passphrase);
    secret_text_free(code);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_key_free(root);
    tempdir_free(dir);
    dataset_stop();
    return 0;
}

/* A daemon without HTTP: a store, and the socket. */
struct daemon {
    struct store *store;
    struct control *control;
};

static void daemon_start(struct daemon *d, bool open)
{
    *d = (struct daemon){0};
    assert_ok(store_new(store_path, &d->store));
    if (open)
        assert_ok(store_unlock(d->store, root, 1000));
    assert_ok(control_open(d->store, &d->control));
}

static void daemon_stop(struct daemon *d)
{
    control_close(d->control);
    store_free(d->store);
}

/* The command's answers go to the file `output` rather than among the test's own. */
static void redirect(void)
{
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    (void)fflush(stdout);
    kept_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_true(fd >= 0 && kept_out >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    (void)close(fd);
}

static void give_back(void)
{
    (void)dup2(kept_out, STDOUT_FILENO);
    (void)close(kept_out);
}

static enum err call(const struct store_key *by, int argc, const char *const words[], int *status)
{
    return control_call(store_path, by, argc, (char *const *)(uintptr_t)words, NULL, 0, status);
}

static const char *const SOURCES[] = {"traboule", "sources", "S", "--json", NULL};

static void without_a_daemon_nobody_answers(void **state)
{
    int status = -1;

    (void)state;
    assert_err(call(root, 4, SOURCES, &status), ERR_NOT_FOUND);
    assert_int_equal(status, -1);
}

static void a_command_is_carried_out_and_its_answer_comes_back(void **state)
{
    (void)state;
    for (int open = 0; open < 2; open++) {
        struct daemon d;
        AUTO(buf_done) struct buf text;
        int status = -1;
        enum err e;

        buf_init(&text, (size_t)MIB);
        daemon_start(&d, open);
        redirect();
        e = call(root, 4, SOURCES, &status);
        give_back();
        assert_ok(e);
        assert_int_equal(status, 0);
        assert_ok(fs_read(output, (size_t)MIB, &text));
        assert_string_equal(text.data, "{\"sources\":[],\"next\":null}\n");
        assert_int_equal(store_is_open(d.store), open);
        daemon_stop(&d);
        assert_err(call(root, 4, SOURCES, &status), ERR_NOT_FOUND);
    }
}

/* How many lines of a kind the trail of the daemon's store has. */
static size_t lines_of(struct daemon *d, enum event_kind kind)
{
    const struct trail_filter filter = {.kind = str_of(event_name(kind)), .from = INT64_MIN, .to = INT64_MAX};
    AUTO(json_freep) json_t *entries = json_array();
    struct store_view view = {0};
    int64_t next;
    size_t count;

    assert_ok(store_borrow(d->store, root, 1000));
    assert_ok(store_view(d->store, &view));
    assert_ok(trail_entries(view.db, &filter, -1, 100, entries, &next));
    count = json_array_size(entries);
    store_view_done(&view);
    store_give_back(d->store);
    return count;
}

static void what_changed_beside_the_daemon_is_told_by_it(void **state)
{
    static const enum event_kind TOLD[] = {EVENT_PASSPHRASE_CHANGED, EVENT_RECOVERY_USED};

    (void)state;
    assert_err(control_tell(store_path, root, EVENT_PASSPHRASE_CHANGED), ERR_NOT_FOUND);
    for (int open = 0; open < 2; open++) {
        struct daemon d;

        daemon_start(&d, open);
        for (size_t i = 0; i < COUNT_OF(TOLD); i++) {
            size_t before = lines_of(&d, TOLD[i]);

            assert_ok(control_tell(store_path, root, TOLD[i]));
            assert_int_equal(lines_of(&d, TOLD[i]), before + 1);
        }
        assert_int_equal(store_is_open(d.store), open);
        daemon_stop(&d);
    }
}

static void no_other_line_is_told_so(void **state)
{
    static const char *const NOT_A_KIND[] = {"traboule", "tell:nothing", NULL};
    AUTO(store_key_freep) struct store_key *other = store_key_new();
    int status = -1, kept = dup(STDERR_FILENO), null = open_null();
    struct daemon d;
    enum err ours, strange, e;

    (void)state;
    daemon_start(&d, true);
    (void)dup2(null, STDERR_FILENO);
    ours = control_tell(store_path, root, EVENT_ERASED);
    strange = control_tell(store_path, other, EVENT_PASSPHRASE_CHANGED);
    e = call(root, 2, NOT_A_KIND, &status);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    (void)close(null);
    assert_err(ours, ERR_IO);
    assert_err(strange, ERR_IO);
    assert_ok(e);
    assert_int_equal(status, 1);
    assert_int_equal(lines_of(&d, EVENT_ERASED), 0);
    daemon_stop(&d);
}

static void another_key_is_refused_open_or_locked(void **state)
{
    AUTO(store_key_freep) struct store_key *other = store_key_new();

    (void)state;
    for (int open = 0; open < 2; open++) {
        struct daemon d;
        int status = -1, kept = dup(STDERR_FILENO), null = open_null();

        daemon_start(&d, open);
        (void)dup2(null, STDERR_FILENO);
        assert_ok(call(other, 4, SOURCES, &status));
        (void)dup2(kept, STDERR_FILENO);
        (void)close(kept);
        (void)close(null);
        assert_int_equal(status, err_row(ERR_WRONG_KEY)->exit);
        assert_int_equal(store_is_open(d.store), open);
        daemon_stop(&d);
    }
}

static void one_daemon_serves_and_a_dead_ones_socket_is_no_obstacle(void **state)
{
    AUTO(store_freep) struct store *store = NULL;
    struct control *second = NULL;
    struct daemon d;
    struct stat st;
    const char *path = tempdir_path(dir, "store/control");
    int status;

    (void)state;
    daemon_start(&d, false);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_ok(store_new(store_path, &store));
    assert_err(control_open(store, &second), ERR_BUSY);
    assert_null(second);
    assert_int_equal(lstat(path, &st), 0); /* still the first one's */
    daemon_stop(&d);
    assert_int_not_equal(lstat(path, &st), 0);

    {
        struct sockaddr_un address;
        int folder = open(store_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int dead = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        control_address(folder, &address);
        assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
        (void)close(dead);
        (void)close(folder);
    }
    assert_err(call(root, 4, SOURCES, &status), ERR_NOT_FOUND);
    daemon_start(&d, true);
    daemon_stop(&d);
}

static int connect_raw(void)
{
    struct sockaddr_un address;
    int folder = open(store_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    control_address(folder, &address);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(folder);
    return fd;
}

/* Send a message with that many descriptors; false when the kernel itself refuses. */
static bool send_raw(int fd, const char *bytes, size_t len, int fd_count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * (CONTROL_FDS_MAX + 8))];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)bytes, len};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    int fds[CONTROL_FDS_MAX + 8], null = open_null();
    struct cmsghdr *rights;
    bool sent;

    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = null;
    if (fd_count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE((size_t)fd_count * sizeof(int));
        if (!(rights = CMSG_FIRSTHDR(&header)))
            return false;
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN((size_t)fd_count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, (size_t)fd_count * sizeof(int));
    }
    sent = sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)len;
    (void)close(null);
    return sent;
}

/* Messages that are none: the daemon answers with a failure or hangs up, and goes on. */
static void messages_that_are_none_do_no_harm(void **state)
{
    static char many[KEY_BYTES + 2 * 1024];
    static const struct {
        const char *name, *bytes;
        size_t len;
        int fds;
    } ROWS[] = {
        {"one byte", "x", 1, 2},
        {"a key alone", "0123456789abcdef0123456789abcdef", KEY_BYTES, 2},
        {"a key and one NUL", "0123456789abcdef0123456789abcdef", KEY_BYTES + 1, 2},
        {"no NUL at the end", "0123456789abcdef0123456789abcdeftraboule", KEY_BYTES + 8, 2},
        {"no descriptors", "0123456789abcdef0123456789abcdeftraboule", KEY_BYTES + 9, 0},
        {"one descriptor", "0123456789abcdef0123456789abcdeftraboule", KEY_BYTES + 9, 1},
        {"too many descriptors", "0123456789abcdef0123456789abcdeftraboule", KEY_BYTES + 9,
         CONTROL_FDS_MAX + 8},
        {"a wrong key", "0123456789abcdef0123456789abcdeftraboule\0sources\0S", KEY_BYTES + 19, 2},
        {"too many words", many, sizeof many, 2},
        {"nothing", "", 0, 0},
    };
    struct daemon d;
    int status = -1;

    (void)state;
    daemon_start(&d, false);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        int fd = connect_raw();
        unsigned char answer = 0;
        ssize_t got;

        if (ROWS[i].len == 0)
            (void)shutdown(fd, SHUT_WR);
        else
            (void)send_raw(fd, ROWS[i].bytes, ROWS[i].len, ROWS[i].fds);
        got = recv(fd, &answer, 1, 0);
        assert_row(ROWS[i].name, got <= 0 || answer != 0);
        (void)close(fd);
    }
    redirect();
    (void)call(root, 4, SOURCES, &status);
    give_back();
    assert_int_equal(status, 0);
    daemon_stop(&d);
}

static void command_line_of_any_length_is_carried_or_refused(void **state)
{
    static char word[LIMIT_CONTROL_REQUEST_BYTES];
    const char *const words[] = {"traboule", "query", "S", word, NULL};
    int files[LIMIT_FILES_IMPORT + 2] = {0}, status = -1;

    (void)state;
    memset(word, 'x', sizeof word - 1);
    assert_err(call(root, 4, words, &status), ERR_TOO_LARGE);
    assert_err(
        control_call(store_path, root, 4, (char *const *)(uintptr_t)SOURCES, files, COUNT_OF(files), &status),
        ERR_TOO_LARGE);
    assert_int_equal(status, -1);
}

static void *many_calls(void *context)
{
    atomic_int *failed = context;

    for (int i = 0; i < 20; i++) {
        int status = -1;

        if (call(root, 4, SOURCES, &status) || status != 0)
            atomic_fetch_add(failed, 1);
    }
    return NULL;
}

/* Commands at once on a locked store: each borrows it, none shuts it before another. An owner who opens it
 * meanwhile finds it open afterwards. */
static void commands_at_once_do_not_lock_each_other_out(void **state)
{
    pthread_t threads[6];
    atomic_int failed = 0;
    struct daemon d;

    (void)state;
    for (int owner = 0; owner < 2; owner++) {
        daemon_start(&d, false);
        redirect();
        for (size_t i = 0; i < COUNT_OF(threads); i++)
            assert_int_equal(pthread_create(&threads[i], NULL, many_calls, &failed), 0);
        if (owner)
            assert_ok(store_unlock(d.store, root, 1000));
        for (size_t i = 0; i < COUNT_OF(threads); i++)
            (void)pthread_join(threads[i], NULL);
        give_back();
        assert_int_equal(atomic_load(&failed), 0);
        assert_int_equal(store_is_open(d.store), owner);
        daemon_stop(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_daemon_nobody_answers),
        cmocka_unit_test(a_command_is_carried_out_and_its_answer_comes_back),
        cmocka_unit_test(what_changed_beside_the_daemon_is_told_by_it),
        cmocka_unit_test(no_other_line_is_told_so),
        cmocka_unit_test(another_key_is_refused_open_or_locked),
        cmocka_unit_test(one_daemon_serves_and_a_dead_ones_socket_is_no_obstacle),
        cmocka_unit_test(messages_that_are_none_do_no_harm),
        cmocka_unit_test(command_line_of_any_length_is_carried_or_refused),
        cmocka_unit_test(commands_at_once_do_not_lock_each_other_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
