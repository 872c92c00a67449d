/* What keyfile.c (the text) and keyfile_slot.c (the seals) share. */
#ifndef CRYPTO_KEYFILE_INTERNAL_H
#define CRYPTO_KEYFILE_INTERNAL_H
#include "pds/crypto/keyfile.h"
#include "pds/crypto/seal.h"

enum { KEYFILE_CHECK_BYTES = 16 };

enum {
    SALT_BYTES = PASSPHRASE_SALT_BYTES,
    SEALED_BYTES = KEY_BYTES + SEAL_EXTRA_BYTES,
    SLOT_KINDS = SLOT_KEYFILE + 1
};

struct slot {
    bool present;
    struct passphrase_cost cost; /* of SLOT_PASSPHRASE, else zero */
    uint8_t salt[SALT_BYTES];
    uint8_t sealed[SEALED_BYTES]; /* the store key, in the layout of seal.h */
};

/* Slots that wrap one store key, and how it is known. */
struct key_set {
    struct slot slots[SLOT_KINDS]; /* by kind; 0 is unused */
    bool has_check;                /* after a rekey */
    uint8_t check[KEYFILE_CHECK_BYTES];
};

struct keyfile {
    uint8_t store_id[STORE_ID_BYTES];
    struct key_set now;
    bool has_next;
    struct key_set next;                     /* of the store key that a rekey is about to bring in; */
    uint8_t next_vault[KEYFILE_VAULT_BYTES]; /* it has come once vault.db begins so */
};

const char *keyfile_kind_name(enum slot_kind kind);
/* What tells a store key from others, and nothing of it. */
void keyfile_check_of(const struct store_key *root, uint8_t out[static KEYFILE_CHECK_BYTES]);
#endif
