/* Documents: their facts wait for their files, and go in when all versions of one are there. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/portable/export_internal.h"
#include "pds/portable/member.h"
#include "pds/store/document.h"
#include "pds/store/media.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_HELD_MAX = 2048, LINE_BYTES = 512 * 1024, PIECE_BYTES = 64 * 1024 };

static enum err parse(const struct merge_document *d, json_t **out)
{
    return json_read(str_of(d->text), MEMBER_BYTES, out);
}

static enum err add_document(struct merge *m, size_t *room, const json_t *tree)
{
    AUTO(buf_done) struct buf text;
    struct merge_document *d;
    json_t *versions;
    const char *id;
    enum err e;

    buf_init(&text, MEMBER_BYTES);
    json_write(&text, tree);
    if ((e = buf_err(&text)) || (e = json_get_text(tree, "id", &id)) ||
        (e = json_get_array(tree, "versions", &versions)) || (e = merge_hold(m, sizeof *d + text.len)))
        return e;
    if (!id_is_valid(str_of(id)) || !json_array_size(versions) ||
        json_array_size(versions) > DOCUMENT_VERSIONS_MAX)
        return err_set(ERR_INVALID, "its id or versions");
    if (m->document_count == *room) {
        *room = *room ? *room * 2 : 32;
        if (!(d = mem_resize(m->documents, *room * sizeof *d)))
            return err_set(ERR_NO_MEMORY, "documents");
        m->documents = d;
    }
    d = &m->documents[m->document_count];
    *d = (struct merge_document){.version_count = json_array_size(versions)};
    (void)memcpy(d->id, id, sizeof d->id); /* as long as an id is */
    if (!(d->text = mem_text(text.data, text.len)))
        return err_set(ERR_NO_MEMORY, "a document");
    m->document_count++;
    return ERR_OK;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct merge_document *)a)->id, ((const struct merge_document *)b)->id);
}

static enum err read_list(struct merge *m, struct member *member)
{
    size_t room = 0;
    enum err e;

    while (!(e = member_next(member))) {
        if (!member->element)
            continue;
        if (strcmp(member->key, "documents") == 0) {
            if ((e = add_document(m, &room, member->value)))
                return err_wrap(e, "document %zu", m->document_count + 1);
        } else if (strcmp(member->key, "bundles") == 0) {
            if ((e = merge_hold(m, member->text.len)))
                return e;
            if (json_array_append(m->bundles, member->value))
                return err_set(ERR_NO_MEMORY, "bundles");
        }
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (m->document_count)
        qsort(m->documents, m->document_count, sizeof *m->documents, by_id);
    for (size_t i = 1; i < m->document_count; i++) {
        if (by_id(&m->documents[i - 1], &m->documents[i]) == 0)
            return err_set(ERR_INVALID, "two documents of the same id");
    }
    m->listed = true;
    return ERR_OK;
}

enum err merge_documents(struct merge *m)
{
    struct member member;
    enum err e;

    if (m->listed)
        return err_set(ERR_INVALID, "documents twice");
    member_init(&member, merge_read, m);
    e = read_list(m, &member);
    member_done(&member);
    return e;
}

static struct merge_document *find(const struct merge *m, const char *id)
{
    struct merge_document key = {.version_count = 0};

    if (!m->document_count || strlen(id) >= sizeof key.id)
        return NULL;
    (void)memcpy(key.id, id, strlen(id) + 1);
    return bsearch(&key, m->documents, m->document_count, sizeof *m->documents, by_id);
}

const char *merge_document_here(const struct merge *m, const char *id)
{
    const struct merge_document *d = find(m, id);

    return d ? d->here : NULL;
}

static void shorten(json_t *versions, size_t count)
{
    while (json_array_size(versions) > count)
        (void)json_array_remove(versions, json_array_size(versions) - 1);
}

/* How many versions of it are here under an id, when all else is alike; -1 when it is another document: one
 * that differs in its facts, or in a version that both have. ERR_NOT_FOUND when there is none. */
static enum err versions_here(struct merge *m, const char *id, const json_t *tree, int64_t *out)
{
    AUTO(store_view_done) struct store_view view = {0};
    AUTO(json_freep) json_t *there = NULL;
    AUTO(json_freep) json_t *begun = NULL;
    AUTO(buf_done) struct buf ours, theirs;
    size_t have;
    enum err e;

    buf_init(&ours, LINE_BYTES);
    buf_init(&theirs, LINE_BYTES);
    if ((e = store_view(m->store, &view)) || (e = document_get(view.db, str_of(id), &there)))
        return e;
    have = json_array_size(json_object_get(there, "versions"));
    if (!(begun = json_deep_copy(tree)))
        return err_set(ERR_NO_MEMORY, "a document");
    shorten(json_object_get(begun, "versions"), have);
    shorten(json_object_get(there, "versions"), json_array_size(json_object_get(tree, "versions")));
    if ((e = export_document_line(there, &ours)) || (e = export_document_line(begun, &theirs)) ||
        (e = buf_err(&ours)) || (e = buf_err(&theirs)))
        return e;
    *out =
        str_eq((struct str){ours.data, ours.len}, (struct str){theirs.data, theirs.len}) ? (int64_t)have : -1;
    return ERR_OK;
}

/* What is here under an id decides; false when it is another document. */
static enum err decide_by(struct merge *m, struct merge_document *d, const char *id, const json_t *tree,
                          bool *decided)
{
    int64_t have = 0;
    enum err e = versions_here(m, id, tree, &have);

    if (e && e != ERR_NOT_FOUND)
        return e;
    *decided = e == ERR_NOT_FOUND || have >= 0;
    if (!*decided)
        return ERR_OK;
    (void)memcpy(d->here, id, sizeof d->here);
    d->have = e ? 0 : (size_t)have;
    d->fate = e ? MERGE_NEW : d->have >= d->version_count ? MERGE_SAME : MERGE_LONGER;
    return ERR_OK;
}

static enum err decide(struct merge *m, struct merge_document *d)
{
    AUTO(json_freep) json_t *tree = NULL;
    AUTO(buf_done) struct buf line;
    char other[ID_CHARS + 1];
    bool decided;
    enum err e;

    if (d->fate != MERGE_UNDECIDED)
        return ERR_OK;
    buf_init(&line, LINE_BYTES);
    if ((e = parse(d, &tree)) || (e = decide_by(m, d, d->id, tree, &decided)) || decided)
        return e;
    if ((e = export_document_line(tree, &line)) || (e = buf_err(&line)))
        return e;
    merge_other_id(d->id, (struct str){line.data, line.len}, other);
    if ((e = decide_by(m, d, other, tree, &decided)))
        return e;
    if (!decided) {
        d->fate = MERGE_KEPT;
        (void)memcpy(d->here, other, sizeof d->here);
    }
    if (d->fate != MERGE_SAME) {
        m->document_tally.conflicts++;
        merge_conflict(m, d->id,
                       decided ? "a document of this id is here with other content: both are kept"
                               : "a document that is here was changed since: it stays");
    }
    return ERR_OK;
}

/* Where the version that an entry brings stands among those of its document. */
static enum err place_of(const struct merge_entry *entry, const struct merge_document *d, size_t *out,
                         char *file, size_t size)
{
    AUTO(json_freep) json_t *tree = NULL;
    const json_t *version;
    const char *sha256, *name;
    char hash[SHA256_TEXT_BYTES];
    int64_t number;
    size_t i;
    enum err e;

    if ((e = parse(d, &tree)))
        return e;
    sha256_text(entry->hash, hash);
    json_array_foreach(json_object_get(tree, "versions"), i, version)
    {
        if ((e = json_get_int(version, "version", &number)) ||
            (e = json_get_text(version, "sha256", &sha256)) || (e = json_get_text(version, "file", &name)))
            return e;
        if (number != entry->version)
            continue;
        *out = i;
        if (strcmp(sha256, hash) != 0)
            return err_set(ERR_INVALID, "documents.json tells of another file");
        return str_copy(str_of(name), file, size);
    }
    return err_set(ERR_INVALID, "a version that documents.json does not tell of");
}

/* The front of the file, as much as tells what it is. */
static enum err read_head(struct merge *m, char *piece, size_t *len)
{
    size_t got = 0;
    enum err e;

    *len = 0;
    do {
        if ((e = merge_read(m, piece + *len, PIECE_BYTES - *len, &got)))
            return e;
        *len += got;
    } while (got && *len < MEDIA_HEAD_BYTES);
    return ERR_OK;
}

/* *type: what it is by its bytes; the zip's word for it is not taken. */
static enum err copy_file(struct merge *m, const char *file, struct blob_writer *w, const char **type)
{
    char *piece = mem_new(PIECE_BYTES);
    size_t got = 0;
    enum err e = piece ? read_head(m, piece, &got) : err_set(ERR_NO_MEMORY, "a file");

    if (!e)
        *type = media_type_of(piece, got, str_of(file));
    while (!e && got && !(e = blob_write(w, piece, got)))
        e = merge_read(m, piece, PIECE_BYTES, &got);
    mem_free(piece);
    return e ? e : blob_finish(w);
}

enum err merge_file(struct merge *m)
{
    AUTO(blob_writer_freep) struct blob_writer *w = NULL;
    struct merge_document *d = find(m, m->entry->document);
    char file[DOCUMENT_TEXT_BYTES];
    const char *type = NULL;
    size_t place = 0;
    enum err e;

    if (!d)
        return err_set(ERR_INVALID, "a file of a document that documents.json has not told of before");
    if ((e = place_of(m->entry, d, &place, file, sizeof file)) || (e = decide(m, d)))
        return e;
    if (d->fate == MERGE_SAME || d->fate == MERGE_KEPT || place < d->have)
        return ERR_OK; /* its hash is checked all the same */
    if (!d->files && !(d->files = mem_array(d->version_count, sizeof *d->files)))
        return err_set(ERR_NO_MEMORY, "versions of a document");
    if (d->files[place].blob || d->done)
        return err_set(ERR_INVALID, "a version that came already");
    if ((e = blob_writer_new(m->store, &w)) || (e = copy_file(m, file, w, &type)))
        return e;
    if (memcmp(blob_sha256(w), m->entry->hash, SHA256_BYTES) != 0)
        return err_set(ERR_INVALID, "not the file that datapackage.json tells of");
    d->files[place] = (struct merge_version){w, type};
    w = NULL; /* the document's now */
    m->files_held++;
    return m->files_held < FILES_HELD_MAX ? ERR_OK : merge_documents_put(m, false);
}

static bool is_whole(const struct merge_document *d)
{
    for (size_t i = d->have; i < d->version_count; i++) {
        if (!d->files || !d->files[i].blob)
            return false;
    }
    return true;
}

static struct str text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return str_of(text ? text : "");
}

static enum err read_facts(const json_t *tree, struct str tags[static DOCUMENT_TAGS_MAX],
                           struct document_facts *out)
{
    const json_t *tag, *list = json_object_get(tree, "tags");
    json_int_t days = json_integer_value(json_object_get(tree, "remind_days"));
    size_t i;

    if (json_array_size(list) > DOCUMENT_TAGS_MAX)
        return err_set(ERR_INVALID, "more than %d tags", DOCUMENT_TAGS_MAX);
    json_array_foreach(list, i, tag) tags[i] = str_of(json_string_value(tag));
    *out = (struct document_facts){.kind = text_of(tree, "kind"),
                                   .title = text_of(tree, "title"),
                                   .reference = text_of(tree, "number"),
                                   .issuer = text_of(tree, "issuer"),
                                   .issued_on = text_of(tree, "issued"),
                                   .expires_on = text_of(tree, "expires"),
                                   .note = text_of(tree, "note"),
                                   .tags = tags,
                                   .tag_count = json_array_size(list),
                                   .has_tags = true,
                                   .remind_days = days >= 0 && days <= 100000 ? (int)days : -1};
    return ERR_OK;
}

static enum err put_versions(struct merge *m, struct merge_document *d, const json_t *tree)
{
    struct str tags[DOCUMENT_TAGS_MAX];
    struct document_facts facts;
    char made[ID_CHARS + 1];
    enum err e;

    if ((e = read_facts(tree, tags, &facts)))
        return e;
    for (size_t i = d->have; i < d->version_count; i++) {
        const json_t *version = json_array_get(json_object_get(tree, "versions"), i);
        struct str file = text_of(version, "file"), type = str_of(d->files[i].type);

        if (i == 0)
            e = document_add(m->store, str_of(d->here), d->files[i].blob, file, type, &facts, m->now, made);
        else
            e = document_add_version(m->store, str_of(d->here), d->files[i].blob, file, type, 0, m->now);
        if (e)
            return e;
        blob_writer_free(d->files[i].blob);
        d->files[i].blob = NULL;
        m->files_held--;
    }
    return ERR_OK;
}

static enum err put_document(struct merge *m, struct merge_document *d)
{
    AUTO(json_freep) json_t *tree = NULL;
    enum err e;

    if (d->fate == MERGE_NEW || d->fate == MERGE_LONGER) {
        if ((e = parse(d, &tree)) || (e = put_versions(m, d, tree)))
            return e;
        m->document_tally.new_count++;
    } else {
        m->document_tally.same += d->fate == MERGE_SAME;
    }
    d->done = true;
    return ERR_OK;
}

enum err merge_documents_put(struct merge *m, bool all)
{
    enum err e;

    for (size_t i = 0; i < m->document_count; i++) {
        struct merge_document *d = &m->documents[i];

        if (d->done || (!all && d->fate == MERGE_UNDECIDED))
            continue;
        if ((e = decide(m, d)))
            return err_wrap(e, "document %s", d->id);
        if ((d->fate == MERGE_NEW || d->fate == MERGE_LONGER) && !is_whole(d)) {
            if (all)
                return err_set(ERR_INVALID, "a file of document %s is missing", d->id);
            continue;
        }
        if ((e = put_document(m, d)))
            return err_wrap(e, "document %s", d->id);
    }
    return ERR_OK;
}

void merge_documents_done(struct merge *m)
{
    for (size_t i = 0; i < m->document_count; i++) {
        struct merge_document *d = &m->documents[i];

        for (size_t n = 0; d->files && n < d->version_count; n++)
            blob_writer_free(d->files[n].blob);
        mem_free(d->files);
        mem_free(d->text);
    }
    mem_free(m->documents);
    m->documents = NULL;
    m->document_count = 0;
}
