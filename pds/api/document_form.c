#include "pds/api/document_form.h"

#include "pds/api/posted.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"

#include <string.h>

enum { FIELD_BYTES = 20 * 1024, PIECE_BYTES = 64 * 1024 };

/* Facts that are one text, by their outward name. */
static const struct {
    const char *name;
    size_t at;
    bool may_be_null; /* in JSON: takes the day away */
} FACTS[] = {
    {"kind", offsetof(struct document_facts, kind), false},
    {"title", offsetof(struct document_facts, title), false},
    {"number", offsetof(struct document_facts, reference), false},
    {"issuer", offsetof(struct document_facts, issuer), false},
    {"issued", offsetof(struct document_facts, issued_on), true},
    {"expires", offsetof(struct document_facts, expires_on), true},
    {"note", offsetof(struct document_facts, note), false},
};
enum { FACT_COUNT = sizeof FACTS / sizeof *FACTS };

static struct str *fact_of(struct document_facts *f, size_t i)
{
    return (struct str *)(void *)((char *)f + FACTS[i].at);
}

static enum err read_tags(const json_t *value, struct arena *arena, struct document_facts *f)
{
    size_t count = json_array_size(value);
    struct str *tags;

    if (!json_is_array(value) || count > DOCUMENT_TAGS_MAX)
        return err_set(ERR_INVALID, "tags is no array of %d texts at most", DOCUMENT_TAGS_MAX);
    if (!(tags = arena_get(arena, (count + 1) * sizeof *tags)))
        return err_set(ERR_NO_MEMORY, "tags");
    for (size_t i = 0; i < count; i++) {
        const json_t *tag = json_array_get(value, i);

        if (!json_is_string(tag))
            return err_set(ERR_INVALID, "tag %zu is no text", i + 1);
        tags[i] = (struct str){json_string_value(tag), json_string_length(tag)};
    }
    f->tags = tags;
    f->tag_count = count;
    f->has_tags = true;
    return ERR_OK;
}

static enum err read_member(const char *name, const json_t *value, struct arena *arena,
                            struct document_facts *f)
{
    if (strcmp(name, "tags") == 0)
        return read_tags(value, arena, f);
    if (strcmp(name, "remind_days") == 0) {
        json_int_t days = json_integer_value(value);

        if (!json_is_integer(value) || days < 0 || days > DOCUMENT_REMIND_MAX)
            return err_set(ERR_INVALID, "remind_days is not from 0 to %d", DOCUMENT_REMIND_MAX);
        f->remind_days = (int)days;
        return ERR_OK;
    }
    for (size_t i = 0; i < FACT_COUNT; i++) {
        if (strcmp(name, FACTS[i].name) != 0)
            continue;
        if (json_is_null(value) && FACTS[i].may_be_null)
            *fact_of(f, i) = STR("");
        else if (json_is_string(value))
            *fact_of(f, i) = (struct str){json_string_value(value), json_string_length(value)};
        else
            return err_set(ERR_INVALID, "%s is no text", FACTS[i].name);
        return ERR_OK;
    }
    return err_set(ERR_INVALID, "a member that tells nothing of a document");
}

enum err document_form_json(const json_t *object, struct arena *arena, struct document_facts *out)
{
    struct document_facts f = {.remind_days = -1};
    const char *name;
    json_t *value;
    enum err e;

    json_object_foreach((json_t *)object, name, value)
    {
        if ((e = read_member(name, value, arena, &f)))
            return e;
    }
    *out = f;
    return ERR_OK;
}

static enum err read_text(const struct request *request, struct store *store, struct str *out)
{
    char *text = arena_get(request->arena, FIELD_BYTES);
    struct posted posted = {request->upload, store};
    size_t len = 0, got;
    enum err e;

    if (!text)
        return err_set(ERR_NO_MEMORY, "a field");
    do {
        if ((e = posted_read(&posted, text + len, FIELD_BYTES - len, &got)))
            return e;
        len += got;
    } while (got > 0 && len < FIELD_BYTES);
    if (len == FIELD_BYTES)
        return err_set(ERR_INVALID, "a field of %d bytes or more", FIELD_BYTES);
    *out = (struct str){text, len};
    return ERR_OK;
}

/* "maison, caf": between commas; empty ones do not count. */
static enum err split_tags(struct str text, struct arena *arena, struct document_facts *f)
{
    struct str *tags = arena_get(arena, (DOCUMENT_TAGS_MAX + 1) * sizeof *tags);
    struct str rest = text, tag;
    size_t count = 0;

    if (!tags)
        return err_set(ERR_NO_MEMORY, "tags");
    while (count <= DOCUMENT_TAGS_MAX && str_split(&rest, ',', &tag)) {
        tag = str_trim(tag);
        if (tag.len > 0)
            tags[count++] = tag;
    }
    f->tags = tags;
    f->tag_count = count; /* one too many is told by the rules of a document */
    f->has_tags = true;
    return ERR_OK;
}

static enum err read_field(const struct request *request, struct store *store, struct str field,
                           struct document_form *form)
{
    struct str text;
    enum err e;

    if (!form->with_facts)
        return err_set(ERR_INVALID, "a version has no field but \"file\"");
    if ((e = read_text(request, store, &text)))
        return e;
    if (str_eq(field, STR("tags")))
        return form->facts.has_tags ? err_set(ERR_INVALID, "tags are told twice")
                                    : split_tags(text, request->arena, &form->facts);
    for (size_t i = 0; i < FACT_COUNT; i++) {
        if (!str_eq(field, str_of(FACTS[i].name)))
            continue;
        if (fact_of(&form->facts, i)->ptr)
            return err_set(ERR_INVALID, "%s is told twice", FACTS[i].name);
        *fact_of(&form->facts, i) = text;
        return ERR_OK;
    }
    return err_set(ERR_INVALID, "a field that tells nothing of a document");
}

/* The whole part into the blob. Its front tells its type. */
static enum err pour(const struct request *request, struct store *store, char *room,
                     struct document_form *form)
{
    char head[MEDIA_HEAD_BYTES];
    struct posted posted = {request->upload, store};
    size_t head_len = 0, got;
    enum err e;

    while (true) {
        if ((e = posted_read(&posted, room, PIECE_BYTES, &got)))
            return e;
        if (got == 0)
            break;
        if (blob_written(form->blob) + got > LIMIT_UPLOAD_FILE_BYTES)
            return err_set(ERR_TOO_LARGE, "a file of more than %ld bytes", LIMIT_UPLOAD_FILE_BYTES);
        if (head_len < sizeof head) {
            size_t part = got < sizeof head - head_len ? got : sizeof head - head_len;

            memcpy(head + head_len, room, part);
            head_len += part;
        }
        if ((e = blob_write(form->blob, room, got)))
            return e;
    }
    form->type = media_type_of(head, head_len, form->file);
    return ERR_OK;
}

static enum err read_file(const struct request *request, struct store *store, struct str name,
                          struct document_form *form)
{
    char *room;
    enum err e;

    if (form->blob)
        return err_set(ERR_INVALID, "two files: one document is one file");
    /* What came before it is wrong: nobody has to send gigabytes to hear so. */
    if ((e = document_facts_check(&form->facts)) || (e = blob_writer_new(store, &form->blob)))
        return e;
    if (!(room = mem_new(PIECE_BYTES)))
        return err_set(ERR_NO_MEMORY, "reading a file");
    form->file = name;
    e = pour(request, store, room, form);
    explicit_bzero(room, PIECE_BYTES);
    mem_free(room);
    if (!e && name.len == 0 && blob_written(form->blob) == 0) /* a browser's form in which none was chosen */
        return err_set(ERR_INVALID, "no file was chosen");
    return e;
}

enum err document_form_read(struct request *request, struct store *store, struct document_form *form)
{
    struct str field, file;
    enum err e;

    form->facts = (struct document_facts){.remind_days = -1};
    while (!(e = upload_next_part(request->upload, &field, &file))) {
        bool is_file = str_eq(field, STR("file"));

        if (is_file && !file.ptr)
            return err_set(ERR_INVALID, "the field \"file\" holds no file");
        if (!is_file && file.ptr)
            return err_set(ERR_INVALID, "a file in a field that is not \"file\"");
        if ((e = is_file ? read_file(request, store, file, form) : read_field(request, store, field, form)))
            return e;
    }
    if ((e == ERR_BUSY || e == ERR_IO) && store_is_closing(store))
        return err_set(ERR_LOCKED, "the store is being locked");
    if (e != ERR_NOT_FOUND)
        return e;
    if (!form->blob)
        return err_set(ERR_INVALID, "the form has no field \"file\"");
    if ((e = document_facts_check(&form->facts)))
        return e;
    return blob_finish(form->blob);
}

void document_form_done(struct document_form *f)
{
    blob_writer_free(f->blob);
    f->blob = NULL;
}
