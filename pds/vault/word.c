#include "pds/vault/word.h"

#include "pds/vault/db_internal.h"

struct listener {
    word_found *found;
    void *context;
    enum err err;
};

static int hear(void *context, int flags, const char *word, int len, int start, int end)
{
    struct listener *l = context;

    (void)flags;
    (void)start;
    (void)end;
    l->err = l->found(l->context, (struct str){word, (size_t)len});
    return l->err ? SQLITE_ABORT : SQLITE_OK;
}

/* How SQLite hands out its own (https://www.sqlite.org/fts5.html, 7). */
static int find_api(sqlite3 *handle, fts5_api **api)
{
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &row, NULL);

    if (!rc && !(rc = sqlite3_bind_pointer(row, 1, (void *)api, "fts5_api_ptr", NULL)) &&
        (rc = sqlite3_step(row)) == SQLITE_ROW)
        rc = SQLITE_OK;
    (void)sqlite3_finalize(row); /* its failure is that of the step */
    return !rc && !*api ? SQLITE_ERROR : rc;
}

enum err word_each(struct db *db, struct str text, word_found *found, void *context)
{
    static const char *ARGUMENTS[] = {"remove_diacritics", "2"};
    struct listener l = {found, context, ERR_OK};
    Fts5Tokenizer *tokenizer = NULL;
    fts5_tokenizer kind;
    fts5_api *api = NULL;
    void *made_with;
    int rc;

    if ((rc = find_api(db->handle, &api)) ||
        (rc = api->xFindTokenizer(api, "unicode61", &made_with, &kind)) ||
        (rc = kind.xCreate(made_with, ARGUMENTS, 2, &tokenizer)))
        return db_error(db, rc);
    rc = kind.xTokenize(tokenizer, &l, FTS5_TOKENIZE_DOCUMENT, text.ptr, (int)text.len, hear);
    kind.xDelete(tokenizer);
    if (l.err)
        return l.err;
    return rc ? db_error(db, rc) : ERR_OK;
}
