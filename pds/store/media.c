#include "pds/store/media.h"

#include <string.h>

static const char OTHER[] = "application/octet-stream";
static const char TEXT[] = "text/plain";
static const char ZIP[] = "application/zip";

enum { SHOWN = 1, SEARCHED = 2 };

/* Told by the first bytes. Those of RIFF, ISO media and the like have a second mark further on. */
static const struct {
    struct str mark, second;
    size_t second_at;
    const char *type;
} MARKS[] = {
    {STR_ROW("%PDF-"), STR_ROW(""), 0, "application/pdf"},
    {STR_ROW("\x89PNG\r\n\x1a\n"), STR_ROW(""), 0, "image/png"},
    {STR_ROW("\xff\xd8\xff"), STR_ROW(""), 0, "image/jpeg"},
    {STR_ROW("RIFF"), STR_ROW("WEBP"), 8, "image/webp"},
    {STR_ROW("GIF87a"), STR_ROW(""), 0, "image/gif"},
    {STR_ROW("GIF89a"), STR_ROW(""), 0, "image/gif"},
    {STR_ROW("II*\0"), STR_ROW(""), 0, "image/tiff"},
    {STR_ROW("MM\0*"), STR_ROW(""), 0, "image/tiff"},
    {STR_ROW(""), STR_ROW("ftypheic"), 4, "image/heic"},
    {STR_ROW(""), STR_ROW("ftypmif1"), 4, "image/heic"},
    {STR_ROW("PK\x03\x04"), STR_ROW(""), 0, ZIP},
};

/* Told by the name, where the bytes say only that it is a zip, or text. */
static const struct {
    struct str ending;
    const char *within, *type;
} NAMES[] = {
    {STR_ROW(".docx"), ZIP, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {STR_ROW(".xlsx"), ZIP, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {STR_ROW(".pptx"), ZIP, "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {STR_ROW(".odt"), ZIP, "application/vnd.oasis.opendocument.text"},
    {STR_ROW(".ods"), ZIP, "application/vnd.oasis.opendocument.spreadsheet"},
    {STR_ROW(".csv"), TEXT, "text/csv"},
    {STR_ROW(".md"), TEXT, "text/markdown"},
    {STR_ROW(".json"), TEXT, "application/json"},
};

static const struct {
    struct str type;
    unsigned uses;
} USES[] = {
    {STR_ROW("image/png"), SHOWN},
    {STR_ROW("image/jpeg"), SHOWN},
    {STR_ROW("image/webp"), SHOWN},
    {STR_ROW("application/pdf"), SHOWN},
    {STR_ROW("text/plain"), SHOWN | SEARCHED},
    {STR_ROW("text/csv"), SEARCHED},
    {STR_ROW("text/markdown"), SEARCHED},
    {STR_ROW("application/json"), SEARCHED},
};

/* UTF-8 without control characters but those of lines; the last character may be cut. */
static bool is_text(struct str head)
{
    while (head.len > 0) {
        unsigned char c = (unsigned char)*head.ptr;
        size_t n = str_utf8_len(head);

        if (n == 0)
            return head.len < 4 && c >= 0xc2;
        if (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f')
            return false;
        head.ptr += n;
        head.len -= n;
    }
    return true;
}

static const char *by_bytes(struct str head)
{
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++) {
        size_t at = MARKS[i].second_at;

        if (str_starts(head, MARKS[i].mark) && head.len >= at &&
            str_starts((struct str){head.ptr + at, head.len - at}, MARKS[i].second))
            return MARKS[i].type;
    }
    return is_text(head) ? TEXT : OTHER;
}

const char *media_type_of(const void *head, size_t len, struct str file)
{
    const char *type = by_bytes((struct str){head, len < MEDIA_HEAD_BYTES ? len : (size_t)MEDIA_HEAD_BYTES});

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        size_t ending = NAMES[i].ending.len;

        if (strcmp(NAMES[i].within, type) == 0 && file.len > ending &&
            str_eq_nocase((struct str){file.ptr + file.len - ending, ending}, NAMES[i].ending))
            return NAMES[i].type;
    }
    return type;
}

static bool has_use(struct str type, unsigned use)
{
    for (size_t i = 0; i < sizeof USES / sizeof *USES; i++) {
        if (str_eq(type, USES[i].type))
            return USES[i].uses & use;
    }
    return false;
}

bool media_is_shown(struct str type) { return has_use(type, SHOWN); }

bool media_is_text(struct str type) { return has_use(type, SEARCHED); }
