/* Between control.c (the daemon's end) and control_call.c (the command's). */
#ifndef CLI_CONTROL_INTERNAL_H
#define CLI_CONTROL_INTERNAL_H
#include "pds/base/limits.h"
#include "pds/base/opt.h"
#include "pds/crypto/secret.h"

#include <stddef.h>
#include <sys/un.h>

/* One message: the key, then argv as texts each closed by a NUL; with it the descriptors of
 * standard output, standard error, and the files. The answer is one byte: the exit status. */
enum { CONTROL_FDS_MAX = 2 + LIMIT_FILES_IMPORT };

/* The address of dir/control, through an open descriptor of dir, since a path may be longer than an address
 * holds. */
void control_address(int dir_fd, struct sockaddr_un *out);
/* Whether the other end runs as this user. */
int control_peer_is_us(int fd);
#endif
