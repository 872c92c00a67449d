#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/portable/sheet.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum err merge_hold(struct merge *m, size_t bytes)
{
    m->held += bytes;
    return m->held <= (size_t)LIMIT_MERGE_HELD_BYTES
               ? ERR_OK
               : err_set(ERR_TOO_LARGE, "more than %ld bytes of names, facts and remarks",
                         LIMIT_MERGE_HELD_BYTES + 0L);
}

static void tell(json_t *list, int64_t *count, const char *where, const char *what)
{
    if (++*count <= LIMIT_WARNINGS)
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "where", where, "what", what));
}

void merge_conflict(struct merge *m, const char *where, const char *what)
{
    tell(m->conflicts, &m->conflict_count, where, what);
}

void merge_warn(struct merge *m, const char *where, const char *what)
{
    tell(m->warnings, &m->warning_count, where, what);
}

void merge_other_id(const char *id, struct str content, char out[static ID_CHARS + 1])
{
    static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    enum { TIME_CHARS = 10 };
    uint8_t hash[SHA256_BYTES];
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, id, strlen(id));
    sha256_add(&h, content.ptr, content.len);
    sha256_end(&h, hash);
    (void)memcpy(out, id, TIME_CHARS);
    for (size_t i = TIME_CHARS; i < ID_CHARS; i++)
        out[i] = ALPHABET[hash[i] & 31];
    out[ID_CHARS] = '\0';
}

enum err merge_read(void *context, void *out, size_t size, size_t *got)
{
    struct merge *m = context;
    enum err e;

    if (store_is_closing(m->store))
        return err_set(ERR_LOCKED, "the store is being locked");
    if ((e = pack_read(m->pack, out, size, got)))
        return e;
    sha256_add(&m->hash, out, *got);
    m->bytes += *got;
    if (m->entry && m->bytes > m->entry->bytes)
        return err_set(ERR_INVALID, "longer than datapackage.json tells");
    return ERR_OK;
}

enum err merge_sheet(struct merge *m, enum err (*read)(struct merge *m, struct sheet *s))
{
    struct sheet s;
    enum err e;

    sheet_init(&s, merge_read, m);
    e = read(m, &s);
    sheet_done(&s);
    return e;
}

enum err merge_header(struct sheet *s, struct str header)
{
    enum err e;

    if ((e = sheet_next(s)))
        return e == ERR_NOT_FOUND ? err_set(ERR_INVALID, "an empty table") : e;
    return sheet_expect(s, header);
}

/* What is left of the entry; then it must be what was told. */
static enum err finish_entry(struct merge *m)
{
    char rest[4096];
    uint8_t hash[SHA256_BYTES];
    size_t got;
    enum err e;

    do {
        if ((e = merge_read(m, rest, sizeof rest, &got)))
            return e;
    } while (got);
    sha256_end(&m->hash, hash);
    if (m->bytes != m->entry->bytes || memcmp(hash, m->entry->hash, sizeof hash) != 0)
        return err_set(ERR_INVALID, "not the file that datapackage.json tells of: it was changed or damaged");
    return ERR_OK;
}

static enum err read_entry(struct merge *m)
{
    static enum err (*const READERS[])(struct merge * m) = {
        [MERGE_IMPORTS] = merge_imports,     [MERGE_RECORDS] = merge_records,
        [MERGE_HISTORY] = merge_history,     [MERGE_ANNOTATIONS] = merge_notes,
        [MERGE_DOCUMENTS] = merge_documents, [MERGE_FILE] = merge_file};
    enum err e;

    sha256_init(&m->hash);
    m->bytes = 0;
    m->entry->seen = true;
    if (READERS[m->entry->kind] && (e = READERS[m->entry->kind](m)))
        return e;
    return finish_entry(m);
}

static enum err read_entries(struct merge *m)
{
    struct str name;
    int64_t size;
    enum err e;

    while (!(e = pack_next(m->pack, &name, &size))) {
        if (!(m->entry = merge_find(m, name))) {
            merge_warn(m, "datapackage.json", "a file that it does not tell of: left out");
            continue;
        }
        if ((e = read_entry(m)))
            return err_wrap(e, "%s", m->entry->path);
    }
    m->entry = NULL;
    if (e != ERR_NOT_FOUND)
        return e;
    for (size_t i = 0; i < m->entry_count; i++) {
        if (!m->entries[i].seen)
            return err_set(ERR_INVALID, "%s is missing: the file is cut", m->entries[i].path);
    }
    return ERR_OK;
}

/* All was read and is what it should be. Records are the last to become final: until then a failure takes
 * them back. */
static enum err put_all(struct merge *m)
{
    enum err e;

    if ((e = merge_documents_put(m, true)) || (e = merge_bundles_put(m)) || (e = merge_notes_put(m)))
        return e;
    return merge_records_close(m);
}

static json_t *tally_object(const struct merge_tally *t)
{
    return json_pack("{s:I, s:I, s:I}", "new", (json_int_t)t->new_count, "same", (json_int_t)t->same,
                     "conflicts", (json_int_t)t->conflicts);
}

/* How many were told no more one by one. */
static enum err close_list(json_t *list, int64_t count)
{
    char what[64];

    if (count <= LIMIT_WARNINGS)
        return ERR_OK;
    (void)snprintf(what, sizeof what, "%" PRId64 " more of them", count - LIMIT_WARNINGS);
    return json_array_append_new(list, json_pack("{s:s, s:s}", "where", "", "what", what))
               ? err_set(ERR_NO_MEMORY, "the answer")
               : ERR_OK;
}

static enum err answer(struct merge *m, json_t **out)
{
    AUTO(json_freep) json_t *datasets = json_array();
    enum err e;

    if (!datasets)
        return err_set(ERR_NO_MEMORY, "the answer");
    if ((e = merge_records_answer(m, datasets)) || (e = close_list(m->conflicts, m->conflict_count)) ||
        (e = close_list(m->warnings, m->warning_count)))
        return e;
    *out =
        json_pack("{s:s?, s:s?, s:O, s:o, s:o, s:o, s:O, s:O}", "import", merge_import_id(m, MERGE_READINGS),
                  "corrections", merge_import_id(m, MERGE_CORRECTIONS), "datasets", datasets, "documents",
                  tally_object(&m->document_tally), "annotations", tally_object(&m->note_tally), "bundles",
                  tally_object(&m->bundle_tally), "conflicts", m->conflicts, "warnings", m->warnings);
    return *out ? ERR_OK : err_set(ERR_NO_MEMORY, "the answer");
}

static void done(struct merge *m)
{
    for (int i = 0; i < MERGE_BROUGHT; i++)
        import_free(m->imports[i].import);
    merge_corrections_done(m);
    merge_package_done(m); /* after the imports, which borrow texts of it */
    merge_documents_done(m);
    merge_notes_done(m);
    json_decref(m->bundles);
    json_decref(m->conflicts);
    json_decref(m->warnings);
}

static enum err run(struct merge *m, merge_get *get, void *context, json_t **out)
{
    static const struct pack_limits LIMITS = {LIMIT_MERGE_BYTES, LIMIT_MERGE_ENTRIES, LIMIT_ARCHIVE_RATIO};
    AUTO(pack_reader_freep) struct pack_reader *pack = NULL;
    enum err e;

    m->bundles = json_array();
    m->conflicts = json_array();
    m->warnings = json_array();
    if (!m->bundles || !m->conflicts || !m->warnings)
        return err_set(ERR_NO_MEMORY, "merge");
    if ((e = pack_reader_new(1 << PACK_ZIP, &LIMITS, get, context, &pack)))
        return e;
    m->pack = pack;
    e = merge_package(m);
    if (!e)
        e = read_entries(m);
    m->pack = NULL; /* ends with this function */
    if (!e)
        e = put_all(m);
    if (e) {
        merge_records_fail(m, e);
        return e;
    }
    return answer(m, out);
}

enum err merge_run(struct store *s, merge_get *get, void *context, int64_t now, json_t **out)
{
    AUTO(done) struct merge m = {.store = s, .now = now};
    enum err e;

    if ((e = store_enter(s, &m.vault)))
        return err_wrap(e, "merge");
    e = run(&m, get, context, out);
    store_leave(s);
    return e ? err_wrap(e, "merge") : ERR_OK;
}
