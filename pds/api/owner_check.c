/* The owner has everything read and is told what is damaged. A large store takes longer than a handler may:
 * the answer begins before, and its body is there when the check has ended. */
#include "pds/api/handler.h"

#include "pds/api/api.h"
#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/store_check.h"

#include <stdatomic.h>
#include <string.h>

enum {
    CHECKS_MAX = 2,                 /* each has a worker and a reader until its end */
    REPORT_BYTES = 4 * 1024 * 1024, /* of problems there are LIMIT_LIST_ANSWER at most */
};

static atomic_int checks;

struct check {
    struct store *store; /* borrowed: it outlasts its answers */
    struct buf report;
    size_t sent;
};

static void check_free(void *context)
{
    struct check *c = context;

    buf_done(&c->report);
    mem_free(c);
    atomic_fetch_sub(&checks, 1);
}

static enum err run(struct check *c)
{
    AUTO(json_freep) json_t *report = NULL;
    enum err e;

    if ((e = store_check(c->store, NULL, &report)))
        return e;
    json_write(&c->report, report);
    return buf_err(&c->report);
}

static enum err check_read(void *context, char *out, size_t size, size_t *got)
{
    struct check *c = context;
    size_t left;
    enum err e;

    if (c->report.len == 0 && (e = run(c)))
        return e; /* another check or a copy: it is tried again; all else cuts the answer */
    left = c->report.len - c->sent;
    *got = left < size ? left : size;
    memcpy(out, c->report.data + c->sent, *got);
    c->sent += *got;
    return ERR_OK;
}

enum err check_get(struct request *request, struct response *response, void *context)
{
    struct api *api = context;
    struct check *c;

    (void)request;
    if (atomic_fetch_add(&checks, 1) >= CHECKS_MAX || !(c = mem_new(sizeof *c))) {
        atomic_fetch_sub(&checks, 1);
        return err_set(ERR_BUSY, "%d checks are being made", CHECKS_MAX);
    }
    c->store = api->store;
    buf_init(&c->report, REPORT_BYTES);
    response->status = 200;
    response->type = "application/json";
    response->source = check_read;
    response->source_context = c;
    response->source_free = check_free;
    return ERR_OK;
}
