/* Between verify.c (kinds of file, keys, checkpoints, proofs) and verify_trail.c (a whole trail). */
#ifndef AUDIT_VERIFY_INTERNAL_H
#define AUDIT_VERIFY_INTERNAL_H
#include "pds/audit/tlog.h"
#include "pds/base/err.h"
#include "pds/base/json.h"

#include <stdbool.h>
#include <stdint.h>

enum { VERIFY_KEYS_MAX = 16 };

struct verifying {
    struct tlog_verifier keys[VERIFY_KEYS_MAX]; /* those that whoever asks trusts, or the file's own */
    size_t key_count;
    bool trusted;
    json_t *problems; /* borrowed */
    json_t *report;   /* borrowed */
    enum err err;     /* the first failure to fill either: then they tell nothing */
};

/* Tell that something does not hold. */
void verify_tell(struct verifying *v, const char *where, const char *what);
/* Where no key was given: the one that the file names, if its form is good. */
void verify_use_key(struct verifying *v, struct str vkey);
/* Read the note and check its signature by the keys; false when it is no checkpoint, which is told. */
bool verify_note(struct verifying *v, struct str note, struct tlog_checkpoint *out);
/* A member of the report; value is taken. */
void verify_set(struct verifying *v, const char *key, json_t *value);
/* Exactly 32 bytes in base64. */
bool verify_bytes(const json_t *text, uint8_t out[static TLOG_HASH_BYTES]);

/* verify_trail.c */
MUST_CHECK enum err verify_trail(struct verifying *v, struct str text);
#endif
