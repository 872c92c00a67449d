/* A JSON object read as a stream: its members one by one, and of those that are arrays each element apart, so
 * that a text of any length takes the memory of its largest element. */
#ifndef PORTABLE_MEMBER_H
#define PORTABLE_MEMBER_H
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum { MEMBER_KEY_BYTES = 64, MEMBER_BYTES = 512 * 1024 };

typedef enum err member_get(void *context, void *out, size_t size, size_t *got);

struct member {
    char key[MEMBER_KEY_BYTES];
    json_t *value; /* owned: the member's value, or one element of its array */
    bool element;
    /* Of the reader, for member.c alone: */
    member_get *get;
    void *context;
    struct buf text;
    char block[4096];
    size_t at, len;
    bool begun, ended, in_array, first;
};

void member_init(struct member *m, member_get *get, void *context); /* context is borrowed */
void member_done(struct member *m);
/* The next one. ERR_NOT_FOUND after the last, which the end of the text must follow. ERR_INVALID for what is
 * no such text, ERR_TOO_LARGE for a value over MEMBER_BYTES. */
MUST_CHECK enum err member_next(struct member *m);
#endif
