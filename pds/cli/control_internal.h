/* Between control.c (the daemon's end), control_file.c (the answer there) and control_call.c (the command's
 * end). */
#ifndef CLI_CONTROL_INTERNAL_H
#define CLI_CONTROL_INTERNAL_H
#include "pds/base/limits.h"
#include "pds/base/opt.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

/* One message: the key, then argv as texts each closed by a NUL; with it the descriptors of
 * standard output, standard error, the files, and the output. The answer is one byte: the exit status. In the
 * place of a command may stand CONTROL_TELL and the name of an event, to be told in the trail. */
#define CONTROL_TELL "tell:"
enum { CONTROL_FDS_MAX = 2 + LIMIT_FILES_IMPORT + 1 };

/* The address of dir/control, through an open descriptor of dir, since a path may be longer than an address
 * holds. */
void control_address(int dir_fd, struct sockaddr_un *out);
/* Whether the other end runs as this user. */
int control_peer_is_us(int fd);
/* A stream onto a caller's descriptor, which it owns from then on. A caller who does not read is waited for,
 * but not while the store is being locked or closing is set: then writing fails with ECANCELED. NULL: no
 * memory. */
FILE *control_file(int fd, struct store *store, const atomic_bool *closing);
#endif
