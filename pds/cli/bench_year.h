/* A made-up year of half-hours in the layout of the Enedis portal, for measuring. */
#ifndef CLI_BENCH_YEAR_H
#define CLI_BENCH_YEAR_H
#include "pds/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Add the file of a calendar year; gives the number of readings. */
int64_t bench_year_csv(int year, struct buf *out);

/* The file as input of a parser. */
struct bench_text {
    const struct buf *text;
    size_t read;
};
enum err bench_text_read(void *context, void *out, size_t size, size_t *got);
#endif
