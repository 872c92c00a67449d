#include "pds/audit/event.h"

static const char *const NAMES[EVENT_KIND_COUNT] = {
    [EVENT_TRAIL_BEGUN] = "trail.begun",
    [EVENT_SIGN_IN] = "sign-in",
    [EVENT_SIGN_IN_FAILED] = "sign-in.failed",
    [EVENT_OPENED] = "store.opened",
    [EVENT_LOCKED] = "store.locked",
    [EVENT_PASSPHRASE_CHANGED] = "passphrase.changed",
    [EVENT_RECOVERY_USED] = "recovery.used",
    [EVENT_RECOVERY_CHANGED] = "recovery.changed",
    [EVENT_REKEYED] = "rekeyed",
    [EVENT_IMPORTED] = "imported",
    [EVENT_IMPORT_UNDONE] = "import.undone",
    [EVENT_RECORDS_PUT] = "records.put",
    [EVENT_RECORDS_CORRECTED] = "records.corrected",
    [EVENT_RECORDS_DELETED] = "records.deleted",
    [EVENT_ANNOTATED] = "annotated",
    [EVENT_DOCUMENT_ADDED] = "document.added",
    [EVENT_DOCUMENT_CHANGED] = "document.changed",
    [EVENT_DOCUMENT_DELETED] = "document.deleted",
    [EVENT_ERASED] = "erased",
    [EVENT_EXPORTED] = "exported",
    [EVENT_MERGED] = "merged",
    [EVENT_BACKED_UP] = "backed-up",
    [EVENT_RESTORED] = "restored",
};

const char *event_name(enum event_kind kind) { return NAMES[kind]; }

enum err event_read(struct str name, enum event_kind *out)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (str_eq(name, str_of(NAMES[kind]))) {
            *out = (enum event_kind)kind;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "no kind of event has that name");
}
