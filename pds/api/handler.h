/* The handlers of the table of routes. Each fills the response, or returns an outcome that
 * exchange_run() turns into a problem document. context is struct api. */
#ifndef API_HANDLER_H
#define API_HANDLER_H
#include "pds/base/err.h"
#include "pds/httpd/request.h"
#include "pds/httpd/response.h"

#define HANDLER(name) enum err name(struct request *request, struct response *response, void *context)

HANDLER(page_get);
HANDLER(health_get);
HANDLER(metrics_get);
HANDLER(openapi_get);
HANDLER(session_get);
HANDLER(session_post);
HANDLER(session_delete);
HANDLER(lock_post);
HANDLER(passphrase_post);
HANDLER(recover_post);
HANDLER(dataset_list);
HANDLER(record_list);
HANDLER(record_post);
HANDLER(record_delete);
HANDLER(correction_post);
HANDLER(correction_history_get);
HANDLER(annotation_get_list);
HANDLER(annotation_get_one);
HANDLER(annotation_post);
HANDLER(annotation_patch);
HANDLER(annotation_remove);
HANDLER(source_get_list);
HANDLER(import_get_list);
HANDLER(import_post);
HANDLER(import_undo_post);
HANDLER(erase_post);
HANDLER(document_kind_list);
HANDLER(document_get_list);
HANDLER(document_get_one);
HANDLER(document_post);
HANDLER(document_patch);
HANDLER(document_remove);
HANDLER(document_content_get);
HANDLER(document_version_post);
HANDLER(bundle_get_list);
HANDLER(bundle_post);
HANDLER(bundle_replace);
HANDLER(bundle_remove);
HANDLER(check_get);
HANDLER(export_post);
HANDLER(backup_post);
HANDLER(merge_post);
HANDLER(trail_get_list);
HANDLER(trail_checkpoint_get);
HANDLER(trail_proof_get);
HANDLER(jwks_get);
#endif
