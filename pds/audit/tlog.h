/* The mathematics and the texts of a transparency log: RFC 6962 hashing and proofs, C2SP signed notes,
 * checkpoints and tlog-proofs. Pure: no store, no clock.
 *
 * https://c2sp.org/signed-note, /tlog-checkpoint, /tlog-proof; RFC 6962 2.1 (SHA-256). */
#ifndef AUDIT_TLOG_H
#define AUDIT_TLOG_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/str.h"
#include "pds/crypto/secret.h"
#include "pds/crypto/sign.h"

#include <stdbool.h>
#include <stdint.h>

enum { TLOG_HASH_BYTES = 32, TLOG_DEPTH_MAX = 62, TLOG_NAME_BYTES = 96, TLOG_KEY_ID_BYTES = 9 };

struct tlog_hash {
    uint8_t bytes[TLOG_HASH_BYTES];
};

void tlog_leaf(const void *data, size_t len, struct tlog_hash *out); /* SHA-256(0x00 ‖ data) */
void tlog_parent(const struct tlog_hash *left, const struct tlog_hash *right, struct tlog_hash *out);

/* The root of leaves as they come. Zero is an empty log. */
struct tlog_frontier {
    int64_t size;
    struct tlog_hash whole[TLOG_DEPTH_MAX + 1]; /* by level: the root of a subtree without a right sibling */
};
void tlog_frontier_add(struct tlog_frontier *f, const struct tlog_hash *leaf);
void tlog_frontier_root(const struct tlog_frontier *f, struct tlog_hash *out);

/* Gives the root of whole subtree (level, number): what proofs and roots are made of. */
typedef enum err tlog_node(void *context, unsigned level, int64_t number, struct tlog_hash *out);

/* The root over the first `size` leaves; of none, SHA-256 of nothing. */
MUST_CHECK enum err tlog_root(int64_t size, tlog_node *node, void *context, struct tlog_hash *out);
/* Inclusion of leaf `index` in `size`; consistency of `old_size` with `size` (RFC 6962 2.1.1, 2.1.2).
 * ERR_INVALID when the numbers make no sense. */
struct tlog_path {
    struct tlog_hash hashes[2 * TLOG_DEPTH_MAX];
    size_t count;
};
MUST_CHECK enum err tlog_inclusion(int64_t index, int64_t size, tlog_node *node, void *context,
                                   struct tlog_path *out);
MUST_CHECK enum err tlog_consistency(int64_t old_size, int64_t size, tlog_node *node, void *context,
                                     struct tlog_path *out);
/* ERR_CORRUPT when the proof does not hold. */
MUST_CHECK enum err tlog_check_inclusion(const struct tlog_hash *leaf, int64_t index, int64_t size,
                                         const struct tlog_path *path, const struct tlog_hash *root);
MUST_CHECK enum err tlog_check_consistency(int64_t old_size, const struct tlog_hash *old_root, int64_t size,
                                           const struct tlog_hash *root, const struct tlog_path *path);

/* A key that signs notes: its name and its public half. */
struct tlog_verifier {
    char name[TLOG_NAME_BYTES];
    uint8_t public_key[SIGN_PUBLIC_BYTES];
};
/* Whether a log may be named so: printable ASCII without space and '+', shorter than TLOG_NAME_BYTES. */
bool tlog_name_is_valid(struct str name);
/* Eight hexadecimal digits, which tell a key from others of its name. */
void tlog_key_id(const struct tlog_verifier *v, char out[static TLOG_KEY_ID_BYTES]);
/* "NAME+hash+key", as C2SP's verifier keys are written, and back. */
void tlog_vkey_write(struct buf *out, const struct tlog_verifier *v);
MUST_CHECK enum err tlog_vkey_read(struct str text, struct tlog_verifier *out);

struct tlog_checkpoint {
    char origin[TLOG_NAME_BYTES]; /* the log's name, which is the key's too */
    int64_t size;
    struct tlog_hash root;
};
/* The signed note of a checkpoint. */
void tlog_checkpoint_write(struct buf *out, const struct tlog_checkpoint *c, const struct sign_seed *seed);
/* Read one and check the signature of v. ERR_INVALID for another form, ERR_CORRUPT when it has no signature
 * of v, or one that does not hold. v NULL: the form alone. Signatures of others are passed over. */
MUST_CHECK enum err tlog_checkpoint_read(struct str note, const struct tlog_verifier *v,
                                         struct tlog_checkpoint *out);

/* A tlog-proof. Texts are borrowed. */
struct tlog_proof {
    int64_t index;
    struct tlog_path path;
    struct str extra; /* base64 of what may help whoever reads it; nothing vouches for it. Empty: none */
    struct str note;  /* of the checkpoint */
};
void tlog_proof_write(struct buf *out, const struct tlog_proof *p);
MUST_CHECK enum err tlog_proof_read(struct str text, struct tlog_proof *out);
#endif
