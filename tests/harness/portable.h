/* Two stores, what one of them holds, and the zips that pass between them: for tests of export and merge. */
#ifndef HARNESS_PORTABLE_H
#define HARNESS_PORTABLE_H
#include "tests/harness/bytes.h"
#include "tests/harness/tmpstore.h"

#include "pds/archive/pack.h"
#include "pds/base/buf.h"
#include "pds/base/limits.h"
#include "pds/portable/export.h"
#include "pds/portable/merge.h"
#include "pds/store/annotation.h"
#include "pds/store/blob.h"
#include "pds/store/document.h"
#include "pds/store/import.h"

#include <string.h>

enum { PORTABLE_START = 1714521600 /* 2024-05-01T00:00:00Z */, PORTABLE_DIGEST = 65 };

/* One import of one series: `count` records a half-hour apart (at once for an instant), value i of record n
 * being values[i] + n. */
static inline void portable_fill(struct tmpstore *t, const char *name, const char *provider,
                                 const char *reference, int64_t from, int count, const int64_t values[4],
                                 enum record_quality quality)
{
    AUTO(import_freep) struct import *m = NULL;
    const struct dataset *d = NULL;

    assert_ok(dataset_find(str_of(name), &d));
    assert_ok(import_new(t->vault, STR("=cmd|' /C calc'!A0.csv"), TMPSTORE_NOW, &m));
    import_set_format(m, "test");
    for (int n = 0; n < count; n++) {
        struct record r = {.start_at = from + n * 1800, .quality = quality, .line = n + 1};

        r.end_at = d->instant ? r.start_at : r.start_at + 1800;
        for (size_t i = 0; i < d->value_count && i < 4; i++) {
            r.values[i] = values[i] + n;
            r.present |= 1U << i;
        }
        assert_ok(import_add(m, d, provider, str_of(reference), "curve", &r));
    }
    assert_ok(import_close(m, TMPSTORE_NOW));
}

static inline void portable_annotate(struct tmpstore *t, const char *id, const char *text)
{
    const struct dataset *d = NULL;
    char made[ID_CHARS + 1];

    assert_ok(dataset_find(STR("energy.electricity.consumption"), &d));
    assert_ok(annotation_add(t->vault, str_of(id), d, PORTABLE_START, PORTABLE_START + 3600, str_of(text),
                             TMPSTORE_NOW, made));
}

/* The allocations that are let fail: all of the first, then fewer and fewer of the many. */
#define PORTABLE_FAILING_ALLOCATIONS(nth) for (long nth = 1; mem_fail_at(nth), true; nth += 1 + nth / 12)

/* A document of two versions. */
static inline void portable_add_document(struct tmpstore *t, const char *id, const char *title)
{
    static const char *const VERSIONS[] = {"one", "two, and longer"};
    const struct document_facts facts = {.title = str_of(title), .remind_days = -1};
    char made[ID_CHARS + 1];

    for (size_t i = 0; i < COUNT_OF(VERSIONS); i++) {
        AUTO(blob_writer_freep) struct blob_writer *w = NULL;

        assert_ok(blob_writer_new(t->store, &w));
        assert_ok(blob_write(w, VERSIONS[i], strlen(VERSIONS[i])));
        assert_ok(blob_finish(w));
        if (i == 0)
            assert_ok(document_add(t->store, str_of(id), w, STR("../=a b.txt"), STR("text/plain"), &facts,
                                   TMPSTORE_NOW, made));
        else
            assert_ok(document_add_version(t->store, str_of(id), w, STR("b.txt"), STR("text/plain"), 0,
                                           TMPSTORE_NOW));
    }
}

/* Half-hours of two meters, positions south and west of zero, two remarks, a document. */
static inline void portable_furnish(struct tmpstore *t)
{
    static const int64_t ENERGY[4] = {601, 0, 0, 0}, PLACES[4] = {-457640430, -48356589, 1250, -320};

    portable_fill(t, "energy.electricity.consumption", "enedis", "=01234567890123", PORTABLE_START, 48,
                  ENERGY, RECORD_MEASURED);
    portable_fill(t, "energy.electricity.consumption", "enedis", "-01234567890123", PORTABLE_START, 48,
                  ENERGY, RECORD_ESTIMATED);
    portable_fill(t, "mobility.position", "owntracks", "phone", PORTABLE_START, 5, PLACES, RECORD_MEASURED);
    portable_annotate(t, "01HWSMQG00AAAAAAAAAAAAAAAA", "=HYPERLINK(\"http://x\")\nsecond;-line");
    portable_annotate(t, "01HWSMQG00BBBBBBBBBBBBBBBB", "the oven");
    portable_add_document(t, "01HWSMQG00DDDDDDDDDDDDDDDD", "=1+1");
}

static inline void portable_export(struct tmpstore *t, struct buf *zip)
{
    AUTO(json_freep) json_t *answer = NULL;

    buf_init(zip, 16 * MIB);
    assert_ok(export_make(t->store, bytes_put, zip, TMPSTORE_NOW, &answer));
}

static inline void portable_digest(struct tmpstore *t, char out[static PORTABLE_DIGEST])
{
    AUTO(json_freep) json_t *answer = NULL;
    const char *text = NULL;

    assert_ok(export_digest(t->store, &answer));
    assert_ok(json_get_text(answer, "digest", &text));
    assert_int_equal(strlen(text), PORTABLE_DIGEST - 1);
    memcpy(out, text, PORTABLE_DIGEST);
}

static inline enum err portable_merge(struct tmpstore *t, struct str zip, json_t **out)
{
    struct bytes in = {.text = zip};

    return merge_run(t->store, bytes_get, &in, TMPSTORE_NOW, out);
}

/* Read one entry of a zip. */
static inline void portable_entry(const struct buf *zip, const char *name, struct buf *out)
{
    static const struct pack_limits LIMITS = {GIB, 1000, 0};
    AUTO(pack_reader_freep) struct pack_reader *r = NULL;
    struct bytes in = {.text = {zip->data, zip->len}};
    struct str at;
    int64_t size;
    size_t got = 0;

    buf_init(out, 16 * MIB);
    assert_ok(pack_reader_new(1 << PACK_ZIP, &LIMITS, bytes_get, &in, &r));
    do
        assert_ok(pack_next(r, &at, &size));
    while (!str_eq(at, str_of(name)));
    do {
        char *piece = buf_reserve(out, 4096);

        assert_non_null(piece);
        assert_ok(pack_read(r, piece, 4096, &got));
        buf_grew(out, got);
    } while (got);
}
#endif
