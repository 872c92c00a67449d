/* A name without a store: what it says where a store would have said something of its own. */
#include "pds/api/house_internal.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/crypto/keyring.h"
#include "pds/crypto/seal.h"

#include <string.h>

/* The place of a name among those who are asked for now, or a free one; with the mutex held. */
static struct asked *place_of(struct house *h, struct str name)
{
    struct asked *free = NULL;

    for (size_t i = 0; i < LIMIT_WORKERS; i++) {
        if (h->strangers[i].at_work == 0)
            free = &h->strangers[i];
        else if (str_eq(str_of(h->strangers[i].name), name))
            return &h->strangers[i];
    }
    return free;
}

bool house_stranger_enter(struct house *h, struct str name)
{
    struct asked *place;
    bool enters = false;

    (void)pthread_mutex_lock(&h->strangers_mutex);
    place = place_of(h, name);
    if (place && place->at_work < LIMIT_WORKERS_STORE &&
        (place->at_work > 0 || !str_copy(name, place->name, sizeof place->name))) {
        place->at_work++;
        enters = true;
    }
    (void)pthread_mutex_unlock(&h->strangers_mutex);
    return enters;
}

void house_stranger_leave(struct house *h, struct str name)
{
    struct asked *place;

    (void)pthread_mutex_lock(&h->strangers_mutex);
    place = place_of(h, name);
    if (place) /* who entered has one */
        place->at_work--;
    (void)pthread_mutex_unlock(&h->strangers_mutex);
}

/* What a store of this name would have made at random, the same each time that it is asked for, and nothing
 * that anyone without the house's key can tell from it. */
static void invent(const struct house *h, const char *what, struct str name,
                   uint8_t out[static SEAL_HASH_BYTES])
{
    struct seal_hash hash;

    seal_hash_init(&hash);
    seal_hash_add(&hash, h->key->bytes, sizeof h->key->bytes);
    seal_hash_add(&hash, what, strlen(what) + 1);
    seal_hash_add(&hash, name.ptr, name.len);
    seal_hash_end(&hash, out);
}

enum err house_stranger_jwks(const struct house *h, struct str name, json_t **out)
{
    AUTO(sign_seed_freep) struct sign_seed *seed = sign_seed_new();
    uint8_t id[SEAL_HASH_BYTES];

    _Static_assert(sizeof seed->bytes == SEAL_HASH_BYTES, "a seed is a hash");
    if (!h->key)
        return err_set(ERR_LOCKED, "the store is locked");
    if (!seed)
        return err_set(ERR_NO_MEMORY, "signing keys");
    invent(h, "traboule stranger id", name, id);
    invent(h, "traboule stranger seed", name, seed->bytes);
    return trail_jwks_begun(id, seed, out);
}
