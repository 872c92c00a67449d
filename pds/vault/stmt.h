/* One run of a statement: parameters in, rows and columns out.
 * Statements are kept prepared by their connection, so stmt_close() is cheap. */
#ifndef VAULT_STMT_H
#define VAULT_STMT_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_kind { PARAM_NULL, PARAM_INT, PARAM_TEXT, PARAM_BLOB };
struct param {
    enum param_kind kind;
    int64_t number;
    const void *bytes; /* borrowed until the statement is closed */
    size_t len;
};
struct params {
    const struct param *items;
    size_t count;
};
#define INT(n)      ((struct param){PARAM_INT, (n), NULL, 0})
#define TEXT(s)     param_text(s)
#define STR_TEXT(s) ((struct param){PARAM_TEXT, 0, (s).ptr, (s).len})
#define BLOB(p, n)  ((struct param){PARAM_BLOB, 0, (p), (n)})
#define NIL         ((struct param){PARAM_NULL, 0, NULL, 0})
/* PARAMS(TEXT(id), INT(now)): what stands for ?1, ?2, … */
#define PARAMS(...)                                                                                          \
    ((struct params){(const struct param[]){__VA_ARGS__},                                                    \
                     sizeof((const struct param[]){__VA_ARGS__}) / sizeof(struct param)})
#define NO_PARAMS ((struct params){NULL, 0})

struct param param_text(const char *text); /* NULL gives an SQL NULL */

struct stmt;

/* The next row. ERR_NOT_FOUND when there is none (left), with the story "no such row". */
MUST_CHECK enum err stmt_next(struct stmt *s);
/* Columns of the current row, from 0. Texts and blobs are borrowed until the next stmt_ call. */
int64_t stmt_int(const struct stmt *s, int column);
struct str stmt_text(const struct stmt *s, int column);
struct str stmt_blob(const struct stmt *s, int column);
bool stmt_is_null(const struct stmt *s, int column);
/* The same for an answer, the caller's: a string, null for NULL; seconds as an instant in RFC 3339, which
 * must be within CLOCK_TEXT_MIN and CLOCK_TEXT_MAX. NULL: no memory. */
json_t *stmt_json_text(const struct stmt *s, int column);
json_t *stmt_json_instant(const struct stmt *s, int column);
void stmt_close(struct stmt *s); /* NULL is fine */
static inline void stmt_closep(struct stmt **s) { stmt_close(*s); }
#endif
