/* A file built into the program: its bytes, without a closing NUL in [start, end),
 * and one NUL at end, so that text can be read as a string. */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

struct embed {
    const char *name; /* the file's name without its folder; NULL closes a table */
    const char *start;
    const char *end;
};
#endif
