/* The command's end of the control socket. */
#include "pds/cli/control.h"
#include "pds/cli/control_internal.h"

#include "pds/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err connect_to(const char *dir, int *out)
{
    struct sockaddr_un address;
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    enum err e = ERR_OK;

    if (dir_fd < 0)
        return fs_error("opening", dir);
    control_address(dir_fd, &address);
    if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
        e = fs_error("making", "a socket");
    else if (connect(fd, (struct sockaddr *)&address, sizeof address))
        e = errno == ENOENT || errno == ECONNREFUSED ? err_set(ERR_NOT_FOUND, "no daemon serves this store")
                                                     : fs_error("connecting to", "control");
    else if (!control_peer_is_us(fd))
        e = err_set(ERR_FORBIDDEN, "the control socket belongs to another user");
    (void)close(dir_fd); /* it was only a way */
    if (e && fd >= 0)
        (void)close(fd);
    if (!e)
        *out = fd;
    return e;
}

/* Key and arguments into message; its length in *len. */
static enum err pack(const struct store_key *root, int argc, char *const argv[], char *message, size_t *len)
{
    size_t used = KEY_BYTES;

    memcpy(message, root->bytes, KEY_BYTES);
    for (int i = 0; i < argc; i++) {
        size_t size = strlen(argv[i]) + 1;

        if (size > LIMIT_CONTROL_REQUEST_BYTES - used)
            return err_set(ERR_TOO_LARGE, "the command line is too long");
        memcpy(message + used, argv[i], size);
        used += size;
    }
    *len = used;
    return ERR_OK;
}

static enum err send_all(int fd, char *message, size_t len, const int *files, size_t file_count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {message, len};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
    struct cmsghdr *rights;
    int fds[CONTROL_FDS_MAX] = {STDOUT_FILENO, STDERR_FILENO};

    if (file_count > 0)
        memcpy(fds + 2, files, file_count * sizeof *files);
    header.msg_controllen = CMSG_SPACE((2 + file_count) * sizeof(int));
    if (!(rights = CMSG_FIRSTHDR(&header)))
        return err_set(ERR_INTERNAL, "no room for descriptors");
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN((2 + file_count) * sizeof(int));
    memcpy(CMSG_DATA(rights), fds, (2 + file_count) * sizeof(int));
    return sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)len ? ERR_OK : fs_error("sending to", "control");
}

enum err control_call(const char *dir, const struct store_key *root, int argc, char *const argv[],
                      const int *files, size_t file_count, int *status)
{
    char *message = secret_alloc(LIMIT_CONTROL_REQUEST_BYTES);
    unsigned char answer;
    size_t len;
    int fd = -1;
    enum err e;

    if (!message)
        return err_set(ERR_NO_MEMORY, "control");
    if (file_count > LIMIT_FILES_IMPORT + 1)
        e = err_set(ERR_TOO_LARGE, "more than %d files", LIMIT_FILES_IMPORT);
    else if (!(e = pack(root, argc, argv, message, &len)) && !(e = connect_to(dir, &fd)) &&
             !(e = send_all(fd, message, len, files, file_count))) {
        if (recv(fd, &answer, 1, 0) == 1)
            *status = answer;
        else
            e = err_set(ERR_IO, "the daemon went away before it answered");
    }
    if (fd >= 0)
        (void)close(fd); /* the answer is here, or never comes */
    secret_release(message);
    return e;
}

enum err control_tell(const char *dir, const struct store_key *root, enum event_kind kind)
{
    char program[] = "traboule", word[64];
    char *const argv[] = {program, word};
    int status = 0;
    enum err e;

    (void)snprintf(word, sizeof word, CONTROL_TELL "%s", event_name(kind));
    if ((e = control_call(dir, root, 2, argv, NULL, 0, &status)))
        return e;
    return status ? err_set(ERR_IO, "the daemon could not write it") : ERR_OK;
}
