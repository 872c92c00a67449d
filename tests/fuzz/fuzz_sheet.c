/* Any bytes as a table of an export: rows keep the reader's promises, and what was read can be written and is
 * read back alike. */
#include "tests/harness/bytes.h"
#include "pds/base/mem.h"
#include "pds/portable/sheet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The cells of the row at hand, written and read again. */
static void write_and_read(const struct sheet *s)
{
    struct buf text, cells[SHEET_FIELDS_MAX];
    struct sheet again;
    struct bytes in;

    buf_init(&text, 1 << 22);
    for (size_t i = 0; i < s->count; i++) {
        struct str cell = sheet_read_text(s, i);

        must(cell.len <= s->fields[i].len);
        buf_init(&cells[i], 1 << 20);
        buf_add(&cells[i], cell.ptr, cell.len);
        if (i)
            buf_char(&text, ',');
        sheet_text(&text, cell);
    }
    buf_char(&text, '\n');
    must(!text.err);
    in = (struct bytes){.text = {text.data, text.len}};
    sheet_init(&again, bytes_get, &in);
    if (text.len <= SHEET_LINE_BYTES) {
        must(sheet_next(&again) == ERR_OK && again.count == s->count);
        for (size_t i = 0; i < s->count; i++)
            must(str_eq(sheet_read_text(&again, i), (struct str){cells[i].data, cells[i].len}));
        must(sheet_next(&again) == ERR_NOT_FOUND);
    }
    sheet_done(&again);
    for (size_t i = 0; i < s->count; i++)
        buf_done(&cells[i]);
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    long live = mem_live();
    struct bytes in = {.text = {(const char *)data, size},
                       .piece = size && data[size - 1] % 4 == 0 ? 1 + (size_t)data[size - 1] : SIZE_MAX};
    struct sheet s;
    int64_t line = 0, at;
    enum err e;

    sheet_init(&s, bytes_get, &in);
    while (!(e = sheet_next(&s))) {
        must(s.count > 0 && s.count <= SHEET_FIELDS_MAX && s.line > line);
        line = s.line;
        for (size_t i = 0; i < s.count; i++) {
            must(str_is_utf8(s.fields[i]));
            err_ignore(sheet_read_instant(&s, i, &at)); /* either way is fine */
        }
        err_ignore(sheet_expect(&s, STR("start,end,value"))); /* either way is fine */
        write_and_read(&s);
    }
    must(e == ERR_NOT_FOUND || e == ERR_INVALID || e == ERR_TOO_LARGE);
    sheet_done(&s);
    must(mem_live() == live);
    return 0;
}
