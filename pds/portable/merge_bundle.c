/* Bundles: by id; of one that is here too, the documents of both. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
#include "pds/base/limits.h"
#include "pds/base/mem.h"
#include "pds/store/bundle.h"
#include "pds/store/document.h"

#include <string.h>

static bool has_text(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

/* The bundle that is here under an id; NULL when there is none. */
static enum err find_here(struct merge *m, const char *id, json_t **out)
{
    AUTO(store_view_done) struct store_view view = {0};
    enum err e;

    if ((e = store_view(m->store, &view)))
        return e;
    e = bundle_get(view.db, str_of(id), out);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The documents that are in it here, and those that the zip adds, under the ids that they have here. */
static enum err join(const struct merge *m, const json_t *here, const json_t *theirs, json_t **out,
                     bool *longer)
{
    AUTO(json_freep) json_t *all = json_array();
    const json_t *item;
    size_t i;

    *longer = !here;
    if (!all || (here && json_array_extend(all, json_object_get(here, "documents"))))
        return err_set(ERR_NO_MEMORY, "a bundle");
    json_array_foreach(json_object_get(theirs, "documents"), i, item)
    {
        const char *id = json_is_string(item) ? merge_document_here(m, json_string_value(item)) : NULL;

        if (!id)
            return err_set(ERR_INVALID, "a document that is none");
        if (has_text(all, id))
            continue;
        *longer = true;
        if (json_array_append_new(all, json_string(id)))
            return err_set(ERR_NO_MEMORY, "a bundle");
    }
    *out = all;
    all = NULL; /* the caller's now */
    return ERR_OK;
}

static enum err put(struct merge *m, const char *id, const char *title, const json_t *documents)
{
    size_t i, count = json_array_size(documents);
    struct str *ids = mem_array(count ? count : 1, sizeof *ids);
    const json_t *item;
    char made[ID_CHARS + 1];
    enum err e;

    if (!ids)
        return err_set(ERR_NO_MEMORY, "a bundle");
    json_array_foreach(documents, i, item) ids[i] = str_of(json_string_value(item));
    e = bundle_put(m->store, str_of(id), str_of(title), ids, count, m->now, made);
    mem_free(ids);
    return e;
}

/* Its documents that are here, and those of the zip; a title that differs is told. */
static enum err join_here(struct merge *m, const char *id, const char *title, const json_t *theirs)
{
    AUTO(json_freep) json_t *here = NULL;
    AUTO(json_freep) json_t *documents = NULL;
    bool longer;
    enum err e;

    if ((e = find_here(m, id, &here)) || (e = join(m, here, theirs, &documents, &longer)))
        return e;
    if (here && strcmp(json_string_value(json_object_get(here, "title")), title) != 0) {
        title = json_string_value(json_object_get(here, "title"));
        m->bundle_tally.conflicts++;
        merge_conflict(m, id, "a bundle of this id is here with another title: that stays");
    }
    if (here && longer && json_array_size(documents) > LIMIT_LIST_ANSWER) {
        m->bundle_tally.conflicts++;
        merge_conflict(m, id, "a bundle has no room for the documents of both: it stays");
        return ERR_OK;
    }
    m->bundle_tally.new_count += longer;
    m->bundle_tally.same += !longer;
    return longer ? put(m, id, title, documents) : ERR_OK;
}

static enum err put_bundle(struct merge *m, const json_t *theirs)
{
    const char *id, *title;
    enum err e;

    if ((e = json_get_text(theirs, "id", &id)) || (e = json_get_text(theirs, "title", &title)))
        return e;
    return id_is_valid(str_of(id)) ? join_here(m, id, title, theirs) : err_set(ERR_INVALID, "its id");
}

enum err merge_bundles_put(struct merge *m)
{
    const json_t *theirs;
    size_t i;
    enum err e;

    json_array_foreach(m->bundles, i, theirs)
    {
        if ((e = put_bundle(m, theirs)))
            return err_wrap(e, "bundle %zu", i + 1);
    }
    return ERR_OK;
}
