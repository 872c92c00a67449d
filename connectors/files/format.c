#include "connectors/files/format.h"

#include "connectors/files/enedis_csv.h"
#include "pds/base/buf.h"

#include <stdio.h>
#include <string.h>

const struct format FORMATS[] = {
    {"enedis.portal.csv", "Enedis: load curve, daily indexes or daily maxima (CSV of the customer portal)",
     enedis_csv_recognises, enedis_csv_parse},
    {NULL, NULL, NULL, NULL},
};

/* What a file that nothing here reads looks like, for the story; the first row that fits. */
static const struct {
    const char *name;
    const char *bytes; /* at the front, or anywhere in the head when `inside` stands */
    size_t len;
    const char *inside;
} KINDS[] = {
    {"a workbook (XLSX)", "PK\x03\x04", 4, "xl/"},
    {"a workbook (XLSX)", "PK\x03\x04", 4, "[Content_Types].xml"},
    {"a ZIP archive", "PK", 2, NULL},
    {"an old workbook (XLS)", "\xD0\xCF\x11\xE0", 4, NULL},
    {"a compressed file (gzip)", "\x1F\x8B", 2, NULL},
    {"a PDF document", "%PDF", 4, NULL},
    {"a database (SQLite)", "SQLite format 3", 15, NULL},
    {"a text in UTF-16", "\xFF\xFE", 2, NULL},
    {"a text in UTF-16", "\xFE\xFF", 2, NULL},
    {"a web page (HTML)", "<", 1, "<html"},
    {"a web page (HTML)", "<", 1, "<!doctype html"},
    {"an XML file", "<", 1, NULL},
    {"a JSON file", "{", 1, NULL},
    {"a JSON file", "[", 1, NULL},
};

static bool contains_nocase(struct str s, struct str what)
{
    for (; s.len >= what.len; s = (struct str){s.ptr + 1, s.len - 1})
        if (str_starts_nocase(s, what))
            return true;
    return false;
}

static bool is_text(struct str head)
{
    for (size_t i = 0; i < head.len; i++) {
        unsigned char c = (unsigned char)head.ptr[i];

        if (c == 0x7F || (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f'))
            return false;
    }
    return true;
}

static const char *kind_of(struct str head)
{
    struct str text = head;

    if (head.len == 0)
        return "an empty file";
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = (struct str){text.ptr + 3, text.len - 3};
    text = str_trim(text);
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_starts(text, (struct str){KINDS[i].bytes, KINDS[i].len}) &&
            (!KINDS[i].inside || contains_nocase(head, str_of(KINDS[i].inside))))
            return KINDS[i].name;
    if (!is_text(head))
        return "a binary file";
    return contains_nocase(head, STR(";")) ? "a text with columns (CSV) that are not known" : "a text";
}

/* The input, with its head read already put back before it. */
struct rewound {
    const struct reading_input *in;
    size_t given, len;
    char head[FORMAT_HEAD_BYTES];
};

static enum err read_head(struct rewound *r)
{
    size_t got = 1;
    enum err e;

    while (got > 0 && r->len < sizeof r->head) {
        got = 0;
        if ((e = r->in->read(r->in->context, r->head + r->len, sizeof r->head - r->len, &got)))
            return err_wrap(e, "reading the file's head");
        r->len += got;
    }
    return ERR_OK;
}

static enum err read_again(void *context, void *out, size_t size, size_t *got)
{
    struct rewound *r = context;
    size_t left = r->len - r->given;

    if (left == 0)
        return r->in->read(r->in->context, out, size, got);
    *got = left < size ? left : size;
    memcpy(out, r->head + r->given, *got);
    r->given += *got;
    return ERR_OK;
}

/* The names of what can be read, for the story of a file that cannot. */
static enum err refuse(struct str head)
{
    char names[256] = "";
    size_t len = 0;

    for (const struct format *f = FORMATS; f->name && len < sizeof names; f++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? "; " : "", f->meaning);
    return err_set(ERR_UNSUPPORTED, "this is %s; what is read here: %s", kind_of(head), names);
}

enum err format_read(const struct reading_input *in, const struct reading_options *options,
                     const struct reading_sink *sink, const struct format **format_out)
{
    struct rewound r = {.in = in};
    struct reading_input again = {read_again, &r};
    struct str head;
    enum err e;

    if ((e = read_head(&r)))
        return e;
    head = (struct str){r.head, r.len};
    for (const struct format *f = FORMATS; f->name; f++)
        if (f->recognises(head)) {
            *format_out = f;
            if ((e = f->parse(&again, options, sink)))
                return err_wrap(e, "%s", f->name);
            return ERR_OK;
        }
    return refuse(head);
}
