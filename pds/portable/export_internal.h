/* Between the files of an export: what it goes through, and the parts it is made of.
 *
 * An export reads one snapshot twice: once to know the size and hash of each part, for datapackage.json comes
 * first; once to write. Both come from the same functions, so that they cannot differ. */
#ifndef PORTABLE_EXPORT_INTERNAL_H
#define PORTABLE_EXPORT_INTERNAL_H
#include "pds/archive/pack.h"
#include "pds/base/buf.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/crypto/sha256.h"
#include "pds/portable/export.h"
#include "pds/store/dataset.h"
#include "pds/store/document.h"
#include "pds/store/record.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum { EXPORT_PATH_BYTES = 256, EXPORT_PIECE_BYTES = 64 * 1024, EXPORT_SERIES_MAX = 4096 };

/* What an export of ours says of itself in datapackage.json, as "traboule". */
#define EXPORT_FORMAT "traboule-export"
enum { EXPORT_VERSION = 1 };

/* A series with something in it. */
struct export_series {
    int64_t id;
    const struct dataset *dataset;
    char *provider, *reference, *grain; /* owned */
    char stem[EXPORT_PATH_BYTES];       /* "<dataset>--<source>--<grain>", unique */
    int64_t records;
};

/* SHA-256 of everything that one kind of thing comes to. */
struct export_digest {
    const struct dataset *dataset; /* NULL but for records */
    int64_t count;
    uint8_t hash[SHA256_BYTES];
};

struct export_kind;
struct export_part {
    const struct export_kind *kind;
    const struct export_series *series; /* borrowed; NULL for a part of the whole store */
    char path[EXPORT_PATH_BYTES];
    uint64_t bytes;
    uint8_t hash[SHA256_BYTES];
};

struct export
{
    struct store *store;
    struct db *db; /* borrowed: the snapshot */
    int64_t now;
    export_put *put; /* NULL for the digests alone */
    void *put_context;
    struct export_series *series; /* owned; by dataset, provider, reference, grain */
    size_t series_count;
    struct export_part *parts; /* owned */
    size_t part_count;
    struct export_digest *datasets; /* owned; those with records, by name */
    size_t dataset_count;
    struct export_digest documents, annotations, bundles;
    uint8_t digest[SHA256_BYTES]; /* of the whole */
    /* The part at hand. */
    struct buf piece;
    struct sha256 hash;
    uint64_t bytes;
    struct pack_writer *pack; /* NULL while measuring */
    size_t listed;            /* resources in datapackage.json so far */
};

/* A kind of part: a row of EXPORT_KINDS. */
struct export_kind {
    const char *name;     /* as "traboule" says in datapackage.json */
    const char *path;     /* of a part of the whole store; for series the folder */
    const char *ending;   /* for series: ".csv" */
    const char *type;     /* media type */
    const char *title;    /* English */
    const char *title_fr; /* French */
    const char
        *fields; /* "name:type …" of a table; NULL: no table. Those of a series come from its dataset */
    bool places; /* for series with latitude and longitude alone */
    enum err (*write)(struct export *x, const struct export_part *part);
};
extern const struct export_kind EXPORT_KINDS[]; /* closed by a row without a name */

/* export.c: what parts are written with. What stands in x->piece goes on when there is enough of it. */
MUST_CHECK enum err export_flow(struct export *x);
/* ERR_OK while it may go on: the store is not being locked, and whoever gets the export still wants it. */
MUST_CHECK enum err export_heed(struct export *x);

/* export_series.c */
MUST_CHECK enum err export_load_series(struct export *x);
void export_series_done(struct export *x);
bool export_has_places(const struct dataset *d);
/* One record after the other, by start and end; with what brought it. */
struct export_row {
    struct record record;
    char import[ID_CHARS + 1];
};
typedef enum err export_record(struct export *x, const struct export_series *s, const struct export_row *row,
                               void *context);
MUST_CHECK enum err export_each_record(struct export *x, const struct export_series *s, export_record *visit,
                                       void *context);
MUST_CHECK enum err export_write_series(struct export *x, const struct export_part *part);

/* export_table.c */
MUST_CHECK enum err export_write_sources(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_imports(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_history(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_annotations(struct export *x, const struct export_part *part);

/* export_place.c */
MUST_CHECK enum err export_write_gpx(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_geojson(struct export *x, const struct export_part *part);

/* export_trail.c */
MUST_CHECK enum err export_write_trail(struct export *x, const struct export_part *part);

/* export_document.c */
typedef enum err export_document(struct export *x, const json_t *document, void *context);
/* Each document, as document_get() tells it, by id. */
MUST_CHECK enum err export_each_document(struct export *x, export_document *visit, void *context);
/* Each bundle, as bundle_get() tells it, by id. */
MUST_CHECK enum err export_each_bundle(struct export *x, export_document *visit, void *context);
/* Each version of each document: its file, and the path that it has in the zip. */
struct export_version {
    const char *document; /* its id */
    int64_t number;
    char path[EXPORT_PATH_BYTES];
    struct document_file file;
};
typedef enum err export_file(struct export *x, const struct export_version *version);
MUST_CHECK enum err export_each_file(struct export *x, export_file *visit);
MUST_CHECK enum err export_write_document_list(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_document_table(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_files(struct export *x);

/* export_digest.c: all digests, into x. */
MUST_CHECK enum err export_digest_all(struct export *x);
/* The digest of a document's facts and files, wherever it was read: what makes two documents the same. */
MUST_CHECK enum err export_document_line(const json_t *document, struct buf *out);

/* export_package.c */
MUST_CHECK enum err export_write_package(struct export *x);

/* export_name.c: text as a name that any system takes: ASCII letters, digits, '.', '_', '-' ('.' only where
 * dots), accents dropped, never empty, at most `most` bytes. Added to out. */
void export_name(struct buf *out, struct str text, bool dots, size_t most);

/* export_readme.c */
MUST_CHECK enum err export_write_readme(struct export *x, const struct export_part *part);
MUST_CHECK enum err export_write_receipts(struct export *x, const struct export_part *part);
#endif
