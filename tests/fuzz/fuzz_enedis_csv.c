/* Any bytes as a CSV file of Enedis: what comes out keeps the promises of connectors/files/reading.h. */
#include "connectors/files/format.h"
#include "connectors/files/enedis_csv.h"
#include "pds/base/mem.h"
#include "pds/base/zone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct bytes {
    const uint8_t *data;
    size_t left, piece;
};

static enum err give(void *context, void *out, size_t size, size_t *got)
{
    struct bytes *b = context;
    size_t len = b->left < size ? b->left : size;

    len = len < b->piece ? len : b->piece;
    if (len > 0)
        memcpy(out, b->data, len);
    b->data += len;
    b->left -= len;
    *got = len;
    return ERR_OK;
}

static void touch(const char *text) { must(text && strlen(text) > 0); }

static enum err take(void *context, const struct reading *r)
{
    (void)context;
    touch(r->dataset);
    touch(r->provider);
    touch(r->grain);
    touch(r->quality);
    must(str_is_utf8(r->reference) && r->reference.len < 64);
    must(r->start_at <= r->end_at && r->line > 0);
    must(r->start_at > 0 && r->end_at < INT64_C(4200000000));
    must(r->value_count > 0 && r->value_count <= READING_VALUES_MAX);
    for (size_t i = 0; i < r->value_count; i++) {
        touch(r->values[i].name);
        must(r->values[i].numerator >= 0 && r->values[i].denominator > 0);
    }
    return ERR_OK;
}

static void tell(void *context, const char *dataset, int64_t line, int rejected, const char *reason)
{
    (void)context, (void)dataset;
    must(line > 0 && (rejected == 0 || rejected == 1));
    touch(reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading_options options = {zone_paris()};
    struct reading_sink sink = {take, tell, NULL};
    const struct format *format = NULL;
    long live = mem_live();
    size_t piece = size > 0 && data[size - 1] % 4 == 0 ? 1 + (size_t)data[size - 1] : SIZE_MAX;
    struct bytes once = {data, size, piece}, again = once;
    enum err e = enedis_csv_parse(&(struct reading_input){give, &once}, &options, &sink);

    must(e == ERR_OK || e == ERR_INVALID);
    e = format_read(&(struct reading_input){give, &again}, &options, &sink, &format);
    must(e == ERR_OK || e == ERR_INVALID || e == ERR_UNSUPPORTED);
    must((e == ERR_UNSUPPORTED) == !format);
    must(mem_live() == live);
    return 0;
}
