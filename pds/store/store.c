#include "pds/store/store_internal.h"

#include "pds/base/auto.h"
#include "pds/base/deadline.h"
#include "pds/base/mem.h"
#include "pds/crypto/keyfile.h"
#include "pds/store/rekey_internal.h"
#include "pds/vault/vault.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct store *store_alloc(void)
{
    struct store *s = mem_new(sizeof *s);

    if (!s)
        return NULL;
    (void)pthread_mutex_init(&s->derive, NULL); /* none of these can fail on Linux */
    (void)pthread_mutex_init(&s->mutex, NULL);
    (void)pthread_mutex_init(&s->blobs.mutex, NULL);
    (void)pthread_mutex_init(&s->blobs.sweep, NULL);
    deadline_cond_init(&s->changed);
    return s;
}

enum err store_new(const char *dir, struct store **out)
{
    AUTO(store_freep) struct store *s = store_alloc();
    AUTO(keyfile_freep) struct keyfile *keys = NULL;
    enum err e;

    if (!s)
        return err_set(ERR_NO_MEMORY, "store");
    if ((e = str_copy(str_of(dir), s->dir, sizeof s->dir)) || (e = fs_check_private_dir(dir)) ||
        (e = fs_join(s->keys_path, dir, "keys.json")) || (e = keyfile_load(s->keys_path, &keys)) ||
        (e = rekey_settle(s, &keys)))
        return err_wrap(e, "store");
    memcpy(s->id, keyfile_store_id(keys), sizeof s->id);
    store_key_tidy(s);
    *out = s;
    s = NULL; /* the caller's now */
    return ERR_OK;
}

enum err store_new_decoy(struct passphrase_cost cost, bool looks_open, struct store **out)
{
    AUTO(store_freep) struct store *s = store_alloc();

    if (!s || !(s->decoy = keyfile_new_decoy(cost)))
        return err_set(ERR_NO_MEMORY, "store");
    s->kept = s->resting = looks_open;
    s->openings = 1;
    *out = s;
    s = NULL; /* the caller's now */
    return ERR_OK;
}

void store_set_host(struct store *s, const struct store_host *host, void *context)
{
    s->host = host;
    s->host_context = context;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    while (store_lock(s) != ERR_OK) /* whoever is inside was told to go */
        continue;
    (void)pthread_cond_destroy(&s->changed); /* nobody waits any more */
    (void)pthread_mutex_destroy(&s->mutex);
    (void)pthread_mutex_destroy(&s->derive);
    keyfile_free(s->decoy);
    (void)pthread_mutex_destroy(&s->blobs.mutex);
    (void)pthread_mutex_destroy(&s->blobs.sweep);
    mem_free(s);
}

const char *store_dir(const struct store *s) { return s->dir; }

const uint8_t *store_id(const struct store *s) { return s->id; }

enum err store_view(struct store *s, struct store_view *out)
{
    enum err e;

    if ((e = store_enter(s, &out->vault)))
        return e;
    out->store = s;
    if ((e = vault_read(out->vault, &out->db)))
        store_view_done(out);
    return e;
}

void store_view_done(struct store_view *v)
{
    if (!v->store)
        return;
    vault_read_end(v->vault, v->db);
    store_leave(v->store);
    *v = (struct store_view){0};
}

void store_note_damage(struct store *s, const char *where)
{
    (void)pthread_mutex_lock(&s->mutex);
    if (!s->damage[0])
        (void)snprintf(s->damage, sizeof s->damage, "%s", where); /* cut when too long */
    (void)pthread_mutex_unlock(&s->mutex);
}

bool store_is_damaged(struct store *s, char *place, size_t size)
{
    const char *story = NULL;

    (void)pthread_mutex_lock(&s->mutex);
    if (!(s->vault && vault_is_damaged(s->vault, &story)) && s->damage[0])
        story = s->damage;
    if (story)
        (void)snprintf(place, size, "%s", story); /* cut when too long */
    (void)pthread_mutex_unlock(&s->mutex);
    return story != NULL;
}
