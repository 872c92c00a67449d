/* Documents: a file, its versions, and what is known of it: kind, number, issuer, dates, tags, words.
 *
 * The file is a sealed blob; what is searched of it stands in the vault, word by word. */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H
#include "pds/base/err.h"
#include "pds/base/id.h"
#include "pds/base/json.h"
#include "pds/base/str.h"
#include "pds/store/blob.h"
#include "pds/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOCUMENT_TEXT_BYTES = 512, /* of title, reference, issuer, a tag */
    DOCUMENT_NOTE_BYTES = 8192,
    DOCUMENT_TAGS_MAX = 32,
    DOCUMENT_VERSIONS_MAX = 400, /* one that is told with all of them is read back by a merge in one piece */
    DOCUMENT_REMIND_MAX = 3650,  /* days */
    DOCUMENT_BODY_BYTES = 1024 * 1024 /* of the text that is searched */
};

/* The closed list of kinds, each with words in French and English and how many days before its expiry to
 * remind: "identity-card", "tax-notice", "energy-bill", "certificate", … "other". */
struct document_kind {
    const char *name, *fr, *en;
    int remind_days;
};
extern const struct document_kind DOCUMENT_KINDS[]; /* closed by a row without a name */
MUST_CHECK enum err document_kind_find(struct str name, const struct document_kind **out);

/* What is told of a document. Texts are borrowed; one whose ptr is NULL is not told (stays as it is). Dates
 * are "2024-05-01", or "" for none. */
struct document_facts {
    struct str kind, title, reference, issuer, issued_on, expires_on, note;
    const struct str *tags; /* all of them, when has_tags */
    size_t tag_count;
    bool has_tags;
    int remind_days; /* -1: not told */
};

/* A new document of a finished blob. title defaults to the file's name, kind to "other", remind_days to what
 * its kind has. id may be empty: then one is made; ERR_CONFLICT when one has it. ERR_INVALID says which fact
 * breaks its rule. type is a media type as media_type_of() tells it. Told in the trail, as all changes are.
 */
MUST_CHECK enum err document_add(struct store *s, struct str id, struct blob_writer *blob, struct str file,
                                 struct str type, const struct document_facts *facts, int64_t now,
                                 char id_out[static ID_CHARS + 1]);
/* Whether the facts keep their rules, before anything is made of them. */
MUST_CHECK enum err document_facts_check(const struct document_facts *facts);
/* Another version of its file. revision: as If-Match gives it; 0 for any. ERR_PRECONDITION when it changed
 * since, ERR_CONFLICT when it has DOCUMENT_VERSIONS_MAX. */
MUST_CHECK enum err document_add_version(struct store *s, struct str id, struct blob_writer *blob,
                                         struct str file, struct str type, int64_t revision, int64_t now);
MUST_CHECK enum err document_change(struct store *s, struct str id, const struct document_facts *facts,
                                    int64_t revision, int64_t now);
/* Gone for good: rows, words, keys of all versions, files. */
MUST_CHECK enum err document_delete(struct store *s, struct str id, int64_t revision, int64_t now);

/* {"id","kind","title","number","issuer","issued","expires","remind_days","tags","note","revision","created","updated",
 * "file","type","size","sha256","versions":[{"version","file","type","size","sha256","added"}],"bundles":[…]}.
 */
MUST_CHECK enum err document_get(struct db *db, struct str id, json_t **out);
/* Its file: version 0 is the newest. */
struct document_file {
    int64_t blob_id;
    uint64_t size;
    char file[256], type[128];
    uint8_t sha256[BLOB_SHA256_BYTES];
};
MUST_CHECK enum err document_file(struct db *db, struct str id, int64_t version, struct document_file *out);

struct document_filter {
    struct str words; /* full-text: every word must occur, the last one may be a beginning */
    struct str kind, tag, bundle;
    struct str expiring; /* "2024-05-01": those whose reminder or expiry has come by that day; empty: any */
};
/* {"documents":[as document_get, without versions and bundles],"next"}: newest first; with words, those
 * that have them in their title first. cursor is a "next" of before. */
MUST_CHECK enum err document_list(struct db *db, const struct document_filter *filter, struct str cursor,
                                  int64_t limit, json_t **out);
#endif
