/* The control socket of a served store: a command typed while the daemon runs is carried out there.
 *
 * The socket lies in the store's folder, which only its user may enter; both ends also check that the
 * other runs as the same user. The command still finds the key, and sends it along: the daemon compares it
 * with its own, or opens the store with it for that one command. Output and files pass as descriptors. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>

/* Have the daemon run argv. ERR_NOT_FOUND when none serves this store; then *status is untouched. */
MUST_CHECK enum err control_call(const char *dir, const struct store_key *root, int argc, char *const argv[],
                                 const int *files, size_t file_count, int *status);

/* Have the daemon add to the trail the line of a change that this program made to keys.json:
 * EVENT_PASSPHRASE_CHANGED or EVENT_RECOVERY_USED. ERR_NOT_FOUND when none serves this store. */
MUST_CHECK enum err control_tell(const char *dir, const struct store_key *root, enum event_kind kind);

struct control;
/* Answer on the socket of a store (borrowed), on threads of its own. ERR_BUSY when another daemon does. */
MUST_CHECK enum err control_open(struct store *store, struct control **out);
/* Listen no more; commands under way go on, and may open the store again. */
void control_leave(struct control *c);
bool control_is_over(struct control *c); /* it was left, and no command is under way */
/* Shuts the store, so that running commands end, and waits for them: but after control_leave() it is left as
 * it is. NULL is fine. */
void control_close(struct control *c);
static inline void control_closep(struct control **c) { control_close(*c); }
#endif
