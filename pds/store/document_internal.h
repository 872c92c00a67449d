/* Between document.c (changes), document_text.c (words) and document_read.c (reading). */
#ifndef STORE_DOCUMENT_INTERNAL_H
#define STORE_DOCUMENT_INTERNAL_H
#include "pds/base/buf.h"
#include "pds/store/document.h"

enum { DOCUMENT_LABEL_BYTES = 256 };

/* A file's name as a label: cut to its size, without control characters. */
void document_label(struct str file, char out[static DOCUMENT_LABEL_BYTES]);

/* Add to out what is searched of a finished blob: the front of a text in UTF-8; nothing of any other. */
MUST_CHECK enum err document_text_read(const struct blob_writer *blob, struct str type, struct buf *out);

/* The words of a document, inside a write. */
MUST_CHECK enum err document_text_add(struct db *db, int64_t number, struct str body);
MUST_CHECK enum err document_text_renew(struct db *db, int64_t number); /* from its row, tags and versions */
MUST_CHECK enum err document_text_replace(struct db *db, int64_t number, struct str body); /* and its body */
MUST_CHECK enum err document_text_drop(struct db *db, int64_t number);

/* The words of a search, as an array in JSON of what stands in document_text: one for each piece between
 * spaces that holds words. */
MUST_CHECK enum err document_text_match(struct db *db, struct str words, struct buf *out);
#endif
