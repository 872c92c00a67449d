/* What the sources of passphrase.h share with each other and with their test. */
#ifndef CRYPTO_PASSPHRASE_INTERNAL_H
#define CRYPTO_PASSPHRASE_INTERNAL_H
#include <stdint.h>

/* The bytes that a control group (version 2) is held to; UINT64_MAX when to none. membership is
 * /proc/self/cgroup, whose line "0::PATH" names the folder PATH below root. */
uint64_t passphrase_memory_allowed(const char *membership, const char *root);

/* Words that passphrases are commonly made of, and common passphrases whole: lower case, without
 * accents, spaces or marks. NULL closes the table. */
extern const char *const PASSPHRASE_COMMON[];

/* Neighbours on keyboards, to be read in either direction. NULL closes the table. */
extern const char *const PASSPHRASE_ROWS[];
#endif
