/* Annotations: read, held, and put in together at the end. */
#include "pds/portable/merge_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/portable/sheet.h"
#include "pds/store/annotation.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum err add_note(struct merge *m, size_t *room, const struct sheet *s)
{
    struct merge_note note = {.len = 0};
    struct str id = sheet_read_text(s, 0), name = sheet_read_text(s, 1), text;
    enum err e;

    if (!id_is_valid(id))
        return err_set(ERR_INVALID, "line %" PRId64 ": annotation is no id", s->line);
    if (dataset_find(name, &note.dataset)) {
        merge_warn(m, m->entry->path, "an annotation of a dataset that this program does not know: left out");
        return ERR_OK;
    }
    if ((e = str_copy(id, note.id, sizeof note.id)) || (e = sheet_read_instant(s, 2, &note.start_at)) ||
        (e = sheet_read_instant(s, 3, &note.end_at)))
        return e;
    text = sheet_read_text(s, 4);
    if (m->note_count == *room) {
        struct merge_note *moved;

        *room = *room ? *room * 2 : 32;
        if (!(moved = mem_resize(m->notes, *room * sizeof *moved)))
            return err_set(ERR_NO_MEMORY, "annotations");
        m->notes = moved;
    }
    if ((e = merge_hold(m, sizeof note + text.len)))
        return e;
    if (!(note.text = mem_text(text.ptr, text.len)))
        return err_set(ERR_NO_MEMORY, "an annotation");
    note.len = text.len;
    m->notes[m->note_count++] = note;
    return ERR_OK;
}

static enum err read_notes(struct merge *m, struct sheet *s)
{
    static const struct str HEADER = STR_ROW("annotation,dataset,start,end,text,created,updated");
    size_t room = 0;
    enum err e;

    if (m->notes)
        return err_set(ERR_INVALID, "annotations twice");
    if ((e = merge_header(s, HEADER)))
        return e;
    while (!(e = sheet_next(s))) {
        if (s->count != 7)
            return err_set(ERR_INVALID, "line %" PRId64 " has %zu cells", s->line, s->count);
        if ((e = add_note(m, &room, s)))
            return e;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err merge_notes(struct merge *m) { return merge_sheet(m, read_notes); }

/* Whether it is here: ERR_NOT_FOUND when not. */
static enum err compare(struct db *db, const char *id, const struct merge_note *note, bool *same)
{
    AUTO(json_freep) json_t *there = NULL;
    int64_t start_at, end_at;
    const char *dataset, *start, *end, *text;
    enum err e;

    if ((e = annotation_get(db, str_of(id), &there)) || (e = json_get_text(there, "dataset", &dataset)) ||
        (e = json_get_text(there, "start", &start)) || (e = json_get_text(there, "end", &end)) ||
        (e = json_get_text(there, "text", &text)) || (e = clock_parse(str_of(start), &start_at, NULL)) ||
        (e = clock_parse(str_of(end), &end_at, NULL)))
        return e;
    *same = strcmp(dataset, note->dataset->name) == 0 && start_at == note->start_at &&
            end_at == note->end_at && str_eq(str_of(text), (struct str){note->text, note->len});
    return ERR_OK;
}

static enum err put(struct db *db, struct merge *m, const char *id, const struct merge_note *note)
{
    char made[ID_CHARS + 1];

    m->note_tally.new_count++;
    return annotation_put(db, str_of(id), note->dataset, note->start_at, note->end_at,
                          (struct str){note->text, note->len}, m->now, made);
}

static enum err put_note(struct db *db, struct merge *m, const struct merge_note *note)
{
    char other[ID_CHARS + 1];
    bool same = false;
    enum err e = compare(db, note->id, note, &same);

    if (e == ERR_NOT_FOUND)
        return put(db, m, note->id, note);
    if (e || same) {
        m->note_tally.same += !e;
        return e;
    }
    merge_other_id(note->id, (struct str){note->text, note->len}, other);
    e = compare(db, other, note, &same);
    if (!e && same) { /* it came in an earlier merge */
        m->note_tally.same++;
        return ERR_OK;
    }
    m->note_tally.conflicts++;
    merge_conflict(m, note->id,
                   e ? "an annotation of this id is here with other content: both are kept"
                     : "an annotation that is here was changed since: it stays");
    return e == ERR_NOT_FOUND ? put(db, m, other, note) : e;
}

static enum err put_work(struct db *db, void *context)
{
    struct merge *m = context;
    char what[128] = "";
    struct event event = {.kind = EVENT_MERGED, .who = "owner", .what = what};
    enum err e;

    m->note_tally = (struct merge_tally){0};
    for (size_t i = 0; i < m->note_count; i++) {
        if ((e = put_note(db, m, &m->notes[i])))
            return err_wrap(e, "annotation %s", m->notes[i].id);
    }
    if (merge_import_id(m, MERGE_READINGS))
        (void)snprintf(what, sizeof what, "import %s", merge_import_id(m, MERGE_READINGS));
    return trail_add(db, &event, m->now, NULL);
}

enum err merge_notes_put(struct merge *m) { return vault_write(m->vault, put_work, m); }

void merge_notes_done(struct merge *m)
{
    for (size_t i = 0; i < m->note_count; i++)
        mem_free(m->notes[i].text);
    mem_free(m->notes);
    m->notes = NULL;
    m->note_count = 0;
}
