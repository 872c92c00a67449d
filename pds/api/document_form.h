/* What an owner tells of a document: as members of a JSON object, or as fields of a form with its file. */
#ifndef API_DOCUMENT_FORM_H
#define API_DOCUMENT_FORM_H
#include "pds/base/arena.h"
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"
#include "pds/store/document.h"
#include "pds/store/media.h"

struct api;

/* The facts that the object tells; texts are borrowed from it. ERR_INVALID names the member that is wrong. */
MUST_CHECK enum err document_form_json(const json_t *object, struct arena *arena, struct document_facts *out);

/* A form: its file on its way into the store, sealed as it comes, and its other fields in any order. */
struct document_form {
    struct document_facts facts;
    struct blob_writer *blob; /* owned */
    struct str file;          /* its name; arena-owned */
    const char *type;         /* a constant */
    bool with_facts;          /* else a field that is not the file is refused */
};
/* Read it to its end. The store is entered. ERR_INVALID without a file; ERR_LOCKED when the store is being
 * locked. */
MUST_CHECK enum err document_form_read(struct request *request, struct store *store,
                                       struct document_form *out);
void document_form_done(struct document_form *f);

/* The document as it is now, with its revision. */
MUST_CHECK enum err document_answer(struct api *api, struct response *response, int status, struct str id);
#endif
