/* What passphrase_check.c and its table share. */
#ifndef CRYPTO_PASSPHRASE_INTERNAL_H
#define CRYPTO_PASSPHRASE_INTERNAL_H

/* Words that passphrases are commonly made of, and common passphrases whole: lower case, without
 * accents, spaces or marks. NULL closes the table. */
extern const char *const PASSPHRASE_COMMON[];

/* Neighbours on keyboards, to be read in either direction. NULL closes the table. */
extern const char *const PASSPHRASE_ROWS[];
#endif
