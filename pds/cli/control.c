#include "pds/cli/control.h"
#include "pds/cli/control_internal.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/log.h"
#include "pds/base/mem.h"
#include "pds/cli/command.h"
#include "pds/crypto/random.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { COMMANDS_AT_ONCE = 8, RECEIVE_SECONDS = 5, RETRY_US = 100000 };

struct control {
    struct store *store; /* borrowed */
    int dir_fd, listener;
    atomic_bool closing; /* whoever does not read the answer is not waited for */
    atomic_bool left;    /* nobody listens any more */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned running;
};

/* One command on its thread. */
struct call {
    struct control *control;
    int fd;
    int fds[CONTROL_FDS_MAX + 1]; /* the room for descriptors is rounded up: one too many may come */
    size_t fd_count;
    char *message; /* guarded, owned */
    size_t len;
};

void control_address(int dir_fd, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/control", dir_fd);
}

int control_peer_is_us(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.uid == geteuid();
}

/* Receive the one message and its descriptors; false when it is none of ours. */
static bool receive(struct call *call)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec part = {call->message, LIMIT_CONTROL_REQUEST_BYTES};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    struct cmsghdr *rights;
    ssize_t got = recvmsg(call->fd, &header, MSG_CMSG_CLOEXEC);

    if (got < 0)
        return false;
    rights = CMSG_FIRSTHDR(&header);
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
        call->fd_count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(call->fds, CMSG_DATA(rights), call->fd_count * sizeof(int));
    }
    call->len = (size_t)got;
    return !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && call->fd_count >= 2 &&
           call->fd_count <= CONTROL_FDS_MAX && call->len > KEY_BYTES && call->message[call->len - 1] == '\0';
}

/* The texts of the message as an argv; 0 when there are too many. */
static int unpack(struct call *call, char *argv[static OPT_ARGS_MAX])
{
    int argc = 0;

    for (size_t at = KEY_BYTES; at < call->len; at += strlen(call->message + at) + 1) {
        if (argc == OPT_ARGS_MAX - 1)
            return 0;
        argv[argc++] = call->message + at;
    }
    argv[argc] = NULL;
    return argc;
}

/* The name of an event, when that is what came instead of a command. */
static struct str event_of(int argc, char *const argv[])
{
    struct str word = argc == 2 ? str_of(argv[1]) : STR("");
    size_t head = sizeof CONTROL_TELL - 1;

    return str_starts(word, STR(CONTROL_TELL)) ? (struct str){word.ptr + head, word.len - head}
                                               : (struct str){NULL, 0};
}

/* Into the trail of the open store. No other lines than those of what a command does beside it. */
static int tell(struct store *store, struct str name, FILE *err)
{
    struct event event = {.who = "owner", .what = ""};
    enum err e = event_read(name, &event.kind);

    if (!e && event.kind != EVENT_PASSPHRASE_CHANGED && event.kind != EVENT_RECOVERY_USED)
        e = err_set(ERR_FORBIDDEN, "no line that a command may add");
    if (e || (e = store_tell(store, &event, clock_now())))
        (void)fprintf(err, "traboule: %s\n", err_story()); /* nowhere else to tell it */
    return err_row(e)->exit;
}

static int run_open(struct call *call, int argc, char *argv[], FILE *out, FILE *err)
{
    struct str event = event_of(argc, argv);
    struct store *store = call->control->store;
    AUTO(store_key_freep) struct store_key *root = store_key_new();
    int status;
    enum err e;

    if (!root)
        return err_row(ERR_NO_MEMORY)->exit;
    memcpy(root->bytes, call->message, KEY_BYTES);
    random_wipe(call->message, KEY_BYTES);
    if (command_is_alone(argc, argv))
        return command_run_open(argc, argv, store, NULL, call->fds + 2, call->fd_count - 2, out, err);
    e = store_borrow(store, root, clock_now());
    if (e && e != ERR_CORRUPT) {
        (void)fprintf(err, "traboule: %s\n", err_story()); /* nowhere else to tell it */
        return err_row(e)->exit;
    }
    if (event.ptr && !e)
        status = tell(store, event, err);
    else
        status =
            command_run_open(argc, argv, store, e ? root : NULL, call->fds + 2, call->fd_count - 2, out, err);
    if (!e)
        store_give_back(store);
    return status;
}

static int run_call(struct call *call)
{
    char *argv[OPT_ARGS_MAX];
    int argc = unpack(call, argv), status = err_row(ERR_INTERNAL)->exit;
    struct control *c = call->control;
    FILE *out = control_file(call->fds[0], c->store, &c->closing);
    FILE *err = control_file(call->fds[1], c->store, &c->closing);

    if (out)
        call->fds[0] = -1; /* the stream's now */
    if (err)
        call->fds[1] = -1;
    if (argc && out && err)
        status = run_open(call, argc, argv, out, err);
    if (out && fclose(out) && status == 0)
        status = err_row(ERR_IO)->exit;
    if (err)
        (void)fclose(err); /* the status says enough */
    return status;
}

static void *call_thread(void *context)
{
    struct call *call = context;
    struct control *control = call->control;
    unsigned char answer = 1;

    if (receive(call)) {
        answer = (unsigned char)run_call(call);
        (void)send(call->fd, &answer, 1, MSG_NOSIGNAL); /* a caller that left does not care */
    }
    for (size_t i = 0; i < call->fd_count; i++) {
        if (call->fds[i] >= 0)
            (void)close(call->fds[i]); /* only read from, or a failed stream */
    }
    (void)close(call->fd);
    secret_release(call->message);
    mem_free(call);
    (void)pthread_mutex_lock(&control->mutex);
    control->running--;
    (void)pthread_cond_broadcast(&control->changed);
    (void)pthread_mutex_unlock(&control->mutex);
    return NULL;
}

static void start_call(struct control *c, int fd)
{
    struct timeval patience = {.tv_sec = RECEIVE_SECONDS};
    struct call *call = mem_new(sizeof *call);
    pthread_t thread;

    if (call) {
        *call = (struct call){.control = c, .fd = fd, .message = secret_alloc(LIMIT_CONTROL_REQUEST_BYTES)};
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
                         sizeof patience); /* else a slow caller keeps a thread */
    }
    if (call && call->message && control_peer_is_us(fd) &&
        !pthread_create(&thread, NULL, call_thread, call)) {
        (void)pthread_detach(thread);
        return;
    }
    (void)close(fd); /* the caller sees the end */
    if (call)
        secret_release(call->message);
    mem_free(call);
    (void)pthread_mutex_lock(&c->mutex);
    c->running--;
    (void)pthread_mutex_unlock(&c->mutex);
}

static void *listen_thread(void *context)
{
    struct control *c = context;
    int fd;

    while (!atomic_load(&c->left)) {
        if ((fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
            if (errno != EINTR && errno != ECONNABORTED && !atomic_load(&c->left))
                (void)usleep(RETRY_US); /* no descriptors, no memory: others give some back */
            continue;
        }
        (void)pthread_mutex_lock(&c->mutex);
        while (c->running == COMMANDS_AT_ONCE && !atomic_load(&c->left))
            (void)pthread_cond_wait(&c->changed, &c->mutex);
        c->running++;
        (void)pthread_mutex_unlock(&c->mutex);
        start_call(c, fd);
    }
    return NULL;
}

/* With the folder locked: bind where no living daemon listens; a dead one's socket is taken away. */
static enum err bind_socket(struct control *c)
{
    struct sockaddr_un address;
    int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    control_address(c->dir_fd, &address);
    if (probe >= 0 && !connect(probe, (struct sockaddr *)&address, sizeof address)) {
        (void)close(probe);
        return err_set(ERR_BUSY, "another daemon serves this store");
    }
    if (probe >= 0)
        (void)close(probe);
    (void)unlinkat(c->dir_fd, "control", 0); /* mostly there is none */
    if ((c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
        return fs_error("making", "a socket");
    if (bind(c->listener, (struct sockaddr *)&address, sizeof address) ||
        fchmodat(c->dir_fd, "control", S_IRWXU, 0) || listen(c->listener, COMMANDS_AT_ONCE))
        return fs_error("binding", "control");
    return ERR_OK;
}

/* Of two daemons that start together one would take the other's socket for a dead one's. */
static enum err bind_alone(struct control *c)
{
    int folder = openat(c->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e;

    if (folder < 0)
        return fs_error("opening", "the store's folder");
    e = flock(folder, LOCK_EX) ? fs_error("locking", "the store's folder") : bind_socket(c);
    (void)close(folder); /* which lets it go */
    return e;
}

enum err control_open(struct store *store, struct control **out)
{
    struct control *c = mem_new(sizeof *c);
    enum err e;

    if (!c)
        return err_set(ERR_NO_MEMORY, "control");
    c->store = store;
    c->listener = -1;
    (void)pthread_mutex_init(&c->mutex, NULL); /* default attributes cannot fail on Linux */
    (void)pthread_cond_init(&c->changed, NULL);
    if ((c->dir_fd = open(store_dir(store), O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
        e = fs_error("opening", store_dir(store));
    else if (!(e = bind_alone(c)) && pthread_create(&c->thread, NULL, listen_thread, c))
        e = err_set(ERR_NO_MEMORY, "a thread for control");
    if (!e) {
        *out = c;
        return ERR_OK;
    }
    if (c->listener >= 0)
        (void)close(c->listener);
    if (c->dir_fd >= 0)
        (void)close(c->dir_fd);
    mem_free(c);
    return e;
}

void control_leave(struct control *c)
{
    if (atomic_exchange(&c->left, true))
        return;
    (void)unlinkat(c->dir_fd, "control", 0); /* new commands open the store themselves */
    (void)shutdown(c->listener, SHUT_RDWR);
    (void)pthread_mutex_lock(&c->mutex);
    (void)pthread_cond_broadcast(&c->changed); /* the one command more that it may have taken is let in */
    (void)pthread_mutex_unlock(&c->mutex);
    (void)pthread_join(c->thread, NULL);
}

bool control_is_over(struct control *c)
{
    bool over;

    (void)pthread_mutex_lock(&c->mutex);
    over = atomic_load(&c->left) && c->running == 0;
    (void)pthread_mutex_unlock(&c->mutex);
    return over;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    atomic_store(&c->closing, true);
    if (!atomic_load(&c->left)) {
        store_shut(c->store);
        control_leave(c);
    }
    (void)pthread_mutex_lock(&c->mutex);
    while (c->running > 0)
        (void)pthread_cond_wait(&c->changed, &c->mutex);
    (void)pthread_mutex_unlock(&c->mutex);
    (void)close(c->listener);
    (void)close(c->dir_fd);
    mem_free(c);
}
