/* What keyfile.c (the text) and keyfile_slot.c (the seals) share. */
#ifndef CRYPTO_KEYFILE_INTERNAL_H
#define CRYPTO_KEYFILE_INTERNAL_H
#include "pds/crypto/keyfile.h"
#include "pds/crypto/seal.h"

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

struct keyfile {
    uint8_t store_id[STORE_ID_BYTES];
    struct slot slots[SLOT_KINDS]; /* by kind; 0 is unused */
};

const char *keyfile_kind_name(enum slot_kind kind);
#endif
