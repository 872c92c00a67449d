#include "pds/api/problem.h"

#include "pds/api/route.h"
#include "pds/base/auto.h"

#include <stdio.h>
#include <string.h>

enum { LOCKED_RETRY_S = 5, BUSY_RETRY_S = 1 };

/* What the owner reads, by outcome; English titles stand in the table of outcomes. */
static const char *const TITLES_FR[ERR_COUNT] = {
    [ERR_USAGE] = "La demande n’est pas comprise",
    [ERR_INVALID] = "La demande enfreint une règle",
    [ERR_UNSUPPORTED] = "Ce format n’est pas connu",
    [ERR_TOO_LARGE] = "C’est plus grand que permis",
    [ERR_NOT_FOUND] = "Cela n’existe pas",
    [ERR_CONFLICT] = "Cela existe déjà ou a changé",
    [ERR_UNAUTHENTICATED] = "Connectez-vous d’abord",
    [ERR_FORBIDDEN] = "Ce n’est pas permis",
    [ERR_WRONG_KEY] = "La phrase de passe ou la clé n’ouvre rien",
    [ERR_THROTTLED] = "Trop d’essais, attendez un peu",
    [ERR_METHOD] = "Cette méthode n’est pas permise ici",
    [ERR_MISDIRECTED] = "Ce n’est pas l’hôte demandé",
    [ERR_PRECONDITION] = "Cela a changé entre-temps",
    [ERR_LOCKED] = "Le coffre est verrouillé",
    [ERR_BUSY] = "Quelque chose d’autre l’occupe en ce moment",
    [ERR_CORRUPT] = "Le coffre est endommagé",
    [ERR_FULL] = "Il n’y a plus de place",
    [ERR_IO] = "Le système a refusé de lire ou d’écrire",
    [ERR_TIMEOUT] = "Cela a pris trop de temps",
    [ERR_NO_MEMORY] = "Il n’y a pas assez de mémoire",
    [ERR_INTERNAL] = "Quelque chose s’est mal passé ici",
};

void problem_type(enum err e, char *at, size_t size)
{
    (void)snprintf(at, size, "urn:traboule:problem:%s", err_row(e)->name); /* names are short */
}

/* Whether the story is for whoever asks: the signed-in owner hears it all; others hear what is wrong with
 * their own request, nothing of the store or the machine. */
static bool tells_story(const struct request *request, enum err e, int status)
{
    if (status == 401 || status == 403)
        return false;
    if (request->route && request->route->access == ACCESS_OWNER)
        return true;
    return e == ERR_INVALID || e == ERR_UNSUPPORTED || e == ERR_TOO_LARGE || e == ERR_METHOD ||
           e == ERR_MISDIRECTED || e == ERR_THROTTLED;
}

void problem_fill(const struct request *request, enum err e, int retry_after_s, struct response *response)
{
    AUTO(json_freep) json_t *body = NULL;
    char type[64], story[512];
    int status = response->status >= 400 ? response->status : err_row(e)->http;
    bool french = strcmp(request_language(request), "fr") == 0;

    (void)snprintf(story, sizeof story, "%s", err_story());
    response_done(response);
    response_init(response);
    problem_type(e, type, sizeof type);
    body = json_pack("{s:s, s:s, s:i}", "type", type, "title",
                     french && TITLES_FR[e] ? TITLES_FR[e] : err_row(e)->title, "status", status);
    if (body && tells_story(request, e, status) && story[0])
        (void)json_object_set_new(body, "detail", json_string(story)); /* without memory the title must do */
    response->status = status;
    if (!body || response_json(response, status, body))
        return; /* the bare status still tells */
    response->type = "application/problem+json";
    if (!retry_after_s && e != ERR_CORRUPT && (status == 503 || status == 429)) /* damage stays */
        retry_after_s = e == ERR_LOCKED ? LOCKED_RETRY_S : BUSY_RETRY_S;
    if (retry_after_s)
        err_ignore(response_header(response, "Retry-After", "%d", retry_after_s)); /* advice only */
}
