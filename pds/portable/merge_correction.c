/* The owner's corrections, and what they corrected: told by the tables of imports and of history. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/base/mem.h"
#include "pds/portable/sheet.h"
#include "pds/vault/vault.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum err read_imports(struct merge *m, struct sheet *s)
{
    static const struct str HEADER =
        STR_ROW("import,file,format,begun,ended,undone,failure,new,same,replaced,rejected");
    enum err e;

    if ((e = merge_header(s, HEADER)))
        return e;
    while (!(e = sheet_next(s))) {
        struct str id = s->fields[0];

        if (s->count < 3 || !str_eq(s->fields[2], STR(RECORD_CORRECTION_FORMAT)) || !id_is_valid(id))
            continue;
        if ((e = merge_hold(m, sizeof *m->corrections)))
            return e;
        if (m->correction_count == m->correction_room) {
            size_t room = m->correction_room ? m->correction_room * 2 : 32;
            char(*moved)[ID_CHARS + 1] = mem_resize(m->corrections, room * sizeof *moved);

            if (!moved)
                return err_set(ERR_NO_MEMORY, "corrections");
            m->corrections = moved;
            m->correction_room = room;
        }
        if ((e = str_copy(id, m->corrections[m->correction_count], ID_CHARS + 1)))
            return e;
        m->correction_count++;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

enum err merge_imports(struct merge *m)
{
    enum err e = merge_sheet(m, read_imports);

    if (m->correction_count)
        qsort(m->corrections, m->correction_count, sizeof *m->corrections, by_text);
    return e;
}

bool merge_is_correction(const struct merge *m, struct str import)
{
    char key[ID_CHARS + 1];

    return m->correction_count && import.len == ID_CHARS && !str_copy(import, key, sizeof key) &&
           bsearch(key, m->corrections, m->correction_count, sizeof *m->corrections, by_text);
}

/* "value=1 peak_after_s=2". */
static enum err read_values(struct str words, const struct dataset *d, struct record *r)
{
    struct str word, name;
    char text[64];
    enum err e;

    while (str_split(&words, ' ', &word)) {
        int i =
            str_split(&word, '=', &name) && !str_copy(name, text, sizeof text) ? dataset_value(d, text) : -1;

        if (i < 0)
            return err_set(ERR_INVALID, "no value of %s", d->name);
        if ((e = merge_value(d, (size_t)i, word, r)))
            return e;
    }
    return r->present & 1U ? ERR_OK : err_set(ERR_INVALID, "no record of %s", d->name);
}

static enum err keep_text(struct merge *m, struct str text, char **out)
{
    enum err e = merge_hold(m, text.len + 1);

    if (e)
        return e;
    return str_keep(text, out);
}

/* The row at hand into a place of its own, which is counted before it is whole so that its texts go. */
static enum err add_said(struct merge *m, const struct sheet *s, const struct dataset *d)
{
    struct merge_said *said;
    struct record *r;
    enum err e;

    if (m->said_count == m->said_room) {
        size_t room = m->said_room ? m->said_room * 2 : 32;

        if (!(said = mem_resize(m->said, room * sizeof *said)))
            return err_set(ERR_NO_MEMORY, "history");
        m->said = said;
        m->said_room = room;
    }
    said = &m->said[m->said_count++];
    *said = (struct merge_said){.dataset = d};
    r = &said->record;
    if ((e = merge_hold(m, sizeof *said)) || (e = keep_text(m, sheet_read_text(s, 1), &said->provider)) ||
        (e = keep_text(m, sheet_read_text(s, 2), &said->reference)) ||
        (e = keep_text(m, sheet_read_text(s, 3), &said->grain)) ||
        (e = sheet_read_instant(s, 4, &r->start_at)) || (e = sheet_read_instant(s, 5, &r->end_at)) ||
        (e = read_values(s->fields[6], d, r)))
        return e;
    return record_quality_read(s->fields[7], &r->quality);
}

static enum err read_history(struct merge *m, struct sheet *s)
{
    static const struct str HEADER =
        STR_ROW("dataset,provider,reference,grain,start,end,values,quality,import,line,replaced_by");
    const struct dataset *d;
    enum err e;

    if ((e = merge_header(s, HEADER)))
        return e;
    while (!(e = sheet_next(s))) {
        if (s->count != 11)
            return err_set(ERR_INVALID, "line %" PRId64 " has %zu cells", s->line, s->count);
        if (!merge_is_correction(m, s->fields[10]) || dataset_find(sheet_read_text(s, 0), &d))
            continue;
        if ((e = add_said(m, s, d)))
            return err_wrap(e, "line %" PRId64, s->line);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err merge_history(struct merge *m) { return merge_sheet(m, read_history); }

static enum err said_work(struct db *db, void *context)
{
    const struct merge *m = context;
    enum err e;

    for (size_t i = 0; i < m->said_count; i++) {
        const struct merge_said *said = &m->said[i];

        if ((e = record_note_said(db, said->dataset->name, said->provider, said->reference, said->grain,
                                  &said->record)))
            return e;
    }
    return ERR_OK;
}

enum err merge_said_put(struct merge *m)
{
    return m->said_count ? vault_write(m->vault, said_work, m) : ERR_OK;
}

void merge_corrections_done(struct merge *m)
{
    for (size_t i = 0; i < m->said_count; i++) {
        mem_free(m->said[i].provider);
        mem_free(m->said[i].reference);
        mem_free(m->said[i].grain);
    }
    mem_free(m->said);
    mem_free(m->corrections);
    m->said = NULL;
    m->corrections = NULL;
    m->said_count = m->correction_count = 0;
}
