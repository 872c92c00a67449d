/* The words of a text, as they are searched: in small letters, without accents, as SQLite's own tokenizer
 * unicode61 finds them. */
#ifndef VAULT_WORD_H
#define VAULT_WORD_H
#include "pds/base/err.h"
#include "pds/base/str.h"

struct db; /* pds/vault/db.h */

/* Told of each word in turn, borrowed for the call; what it returns but ERR_OK ends the text. */
typedef enum err word_found(void *context, struct str word);
/* text is UTF-8, of less than 1 GiB. */
MUST_CHECK enum err word_each(struct db *db, struct str text, word_found *found, void *context);
#endif
