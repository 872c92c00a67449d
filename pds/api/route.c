#include "pds/api/route.h"

#include "pds/api/handler.h"

const struct route ROUTES[] = {
    {"GET", "/health", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, health_get,
     "Whether the store is open or locked"},
    {"GET", "/metrics", ACCESS_LOOPBACK, BODY_NONE, RUN_INLINE, metrics_get,
     "Figures of the daemon, as Prometheus text"},
    {"GET", "/api/openapi.json", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, openapi_get,
     "This interface, described"},
    {"GET", "/api/session", ACCESS_OWNER, BODY_NONE, RUN_INLINE, session_get,
     "The session, and its CSRF token again"},
    {"POST", "/api/session", ACCESS_ANYONE, BODY_JSON, RUN_WORKER, session_post,
     "Sign in; opens a locked store"},
    {"DELETE", "/api/session", ACCESS_OWNER, BODY_NONE, RUN_INLINE, session_delete, "Sign out"},
    {"POST", "/api/lock", ACCESS_OWNER, BODY_NONE, RUN_WORKER, lock_post,
     "Lock the store and end all sessions"},
    {"POST", "/api/passphrase", ACCESS_OWNER, BODY_JSON, RUN_WORKER, passphrase_post,
     "Change the passphrase"},
    {"POST", "/api/recover", ACCESS_ANYONE, BODY_JSON, RUN_WORKER, recover_post,
     "Set a new passphrase with the recovery code"},
    {"GET", "/api/datasets", ACCESS_OWNER, BODY_NONE, RUN_WORKER, dataset_list,
     "The datasets, and what the store has of each"},
    {"GET", "/api/records/:dataset", ACCESS_OWNER, BODY_NONE, RUN_WORKER, record_list,
     "Records of a dataset, as they are or by steps"},
    {"POST", "/api/records/:dataset", ACCESS_OWNER, BODY_JSON, RUN_WORKER, record_post,
     "Put records that the owner has read or typed"},
    {"GET", "/api/sources", ACCESS_OWNER, BODY_NONE, RUN_WORKER, source_get_list,
     "Where the data comes from"},
    {"GET", "/api/imports", ACCESS_OWNER, BODY_NONE, RUN_WORKER, import_get_list,
     "Past imports, newest first"},
    {"POST", "/api/imports", ACCESS_OWNER, BODY_UPLOAD, RUN_WORKER, import_post,
     "Import files; answers when the data is durable"},
    {"POST", "/api/imports/:id/undo", ACCESS_OWNER, BODY_NONE, RUN_WORKER, import_undo_post,
     "Take an import back"},
    {"GET", "/api/check", ACCESS_OWNER, BODY_NONE, RUN_WORKER, check_get,
     "Read everything and say what is damaged"},
    {"GET", "/", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, page_get, "The owner's pages"},
    {"GET", "/*path", ACCESS_ANYONE, BODY_NONE, RUN_INLINE, page_get, "Files of the owner's pages"},
};

size_t route_count(void) { return sizeof ROUTES / sizeof *ROUTES; }
