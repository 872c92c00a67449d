/* What the trail tells of: the closed list of kinds of event.
 *
 * An event names ids and datasets; never a value, a title, a file's name. */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H
#include "pds/base/err.h"
#include "pds/base/str.h"

/* The names (event_name) are stored and told: they never change. Connectors, services and consents add
 * theirs. */
enum event_kind {
    EVENT_TRAIL_BEGUN,        /* "trail.begun": a store made, or an older one brought up */
    EVENT_SIGN_IN,            /* "sign-in" */
    EVENT_SIGN_IN_FAILED,     /* "sign-in.failed": what = how many since the last line of that kind */
    EVENT_OPENED,             /* "store.opened": by a key file or a command that serves */
    EVENT_LOCKED,             /* "store.locked" */
    EVENT_PASSPHRASE_CHANGED, /* "passphrase.changed" */
    EVENT_RECOVERY_USED,      /* "recovery.used" */
    EVENT_RECOVERY_CHANGED,   /* "recovery.changed" */
    EVENT_REKEYED,            /* "rekeyed": what = id of the new signing key */
    EVENT_IMPORTED,           /* "imported": what = import id and datasets */
    EVENT_IMPORT_UNDONE,      /* "import.undone" */
    EVENT_RECORDS_PUT,        /* "records.put": typed by the owner */
    EVENT_RECORDS_CORRECTED,  /* "records.corrected": dataset and period */
    EVENT_RECORDS_DELETED,    /* "records.deleted": dataset and period */
    EVENT_ANNOTATED,          /* "annotated": dataset and period */
    EVENT_DOCUMENT_ADDED,     /* "document.added": its id */
    EVENT_DOCUMENT_CHANGED,   /* "document.changed" */
    EVENT_DOCUMENT_DELETED,   /* "document.deleted" */
    EVENT_ERASED,             /* "erased": what = dataset, source number or "everything" */
    EVENT_EXPORTED,           /* "exported" */
    EVENT_MERGED,             /* "merged" */
    EVENT_BACKED_UP,          /* "backed-up" */
    EVENT_RESTORED,           /* "restored" */
    EVENT_KIND_COUNT
};

/* The longest texts of an event, in bytes. */
enum { EVENT_WHO_BYTES = 128, EVENT_WHAT_BYTES = 1024 };

struct event {
    enum event_kind kind;
    const char *who;     /* "owner", or an id */
    const char *what;    /* plain text of ids and names of datasets; "" for nothing more */
    const char *consent; /* id, or NULL */
};

const char *event_name(enum event_kind kind);
/* ERR_INVALID for a name that is none. */
MUST_CHECK enum err event_read(struct str name, enum event_kind *out);
#endif
