#include "pds/vault/stmt.h"

#include "pds/base/clock.h"
#include "pds/base/mem.h"
#include "pds/vault/db_internal.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

struct param param_text(const char *text)
{
    return text ? (struct param){PARAM_TEXT, 0, text, strlen(text)} : NIL;
}

static int bind_one(sqlite3_stmt *handle, int at, const struct param *p)
{
    const void *bytes = p->bytes ? p->bytes : "";

    switch (p->kind) {
    case PARAM_NULL:
        return sqlite3_bind_null(handle, at);
    case PARAM_INT:
        return sqlite3_bind_int64(handle, at, p->number);
    case PARAM_TEXT:
        return sqlite3_bind_text64(handle, at, bytes, p->len, SQLITE_STATIC, SQLITE_UTF8);
    case PARAM_BLOB:
        return sqlite3_bind_blob64(handle, at, bytes, p->len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

enum err stmt_bind(struct stmt *s, struct params params)
{
    if (params.count > INT_MAX || (int)params.count != sqlite3_bind_parameter_count(s->handle))
        return err_set(ERR_INTERNAL, "a statement with %d parameters was given %zu",
                       sqlite3_bind_parameter_count(s->handle), params.count);
    for (size_t i = 0; i < params.count; i++) {
        int rc = bind_one(s->handle, (int)i + 1, &params.items[i]);

        if (rc != SQLITE_OK)
            return db_error(s->db, rc);
    }
    return ERR_OK;
}

enum err stmt_next(struct stmt *s)
{
    int rc = sqlite3_step(s->handle);

    if (rc == SQLITE_ROW)
        return ERR_OK;
    if (rc == SQLITE_DONE)
        return err_set(ERR_NOT_FOUND, "no such row");
    if (rc == SQLITE_ERROR && strstr(s->sql, "MATCH")) /* SQLite's message would repeat the owner's words */
        return err_set(ERR_INVALID, "the text of a search is not understood");
    return db_error(s->db, rc);
}

int64_t stmt_int(const struct stmt *s, int column) { return sqlite3_column_int64(s->handle, column); }

struct str stmt_text(const struct stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s->handle, column);

    return text ? (struct str){text, (size_t)sqlite3_column_bytes(s->handle, column)} : STR("");
}

struct str stmt_blob(const struct stmt *s, int column)
{
    const char *bytes = sqlite3_column_blob(s->handle, column);

    return bytes ? (struct str){bytes, (size_t)sqlite3_column_bytes(s->handle, column)} : STR("");
}

bool stmt_is_null(const struct stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

json_t *stmt_json_text(const struct stmt *s, int column)
{
    struct str text = stmt_text(s, column);

    return stmt_is_null(s, column) ? json_null() : json_stringn(text.ptr, text.len);
}

json_t *stmt_json_instant(const struct stmt *s, int column)
{
    char text[CLOCK_TEXT_BYTES];

    if (stmt_is_null(s, column))
        return json_null();
    clock_text(stmt_int(s, column), text);
    return json_string(text);
}

/* Parameters are let go, since what they borrowed goes too. The outcome was told by stmt_next(). */
void stmt_close(struct stmt *s)
{
    if (!s)
        return;
    assert(s->busy);
    (void)sqlite3_reset(s->handle);
    (void)sqlite3_clear_bindings(s->handle);
    s->busy = false;
}

void stmt_free(struct stmt *s)
{
    if (!s)
        return;
    (void)sqlite3_finalize(s->handle); /* repeats the outcome of the last step */
    mem_free(s);
}
