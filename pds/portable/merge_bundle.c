/* Bundles: by id; of one that is here too, the documents of both. */
#include "pds/portable/merge_internal.h"

#include "pds/base/auto.h"
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

static const json_t *bundle_of(const json_t *list, const char *id)
{
    const json_t *bundle;
    size_t i;

    json_array_foreach(json_object_get(list, "bundles"), i, bundle)
    {
        if (strcmp(json_string_value(json_object_get(bundle, "id")), id) == 0)
            return bundle;
    }
    return NULL;
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

static enum err put_bundle(struct merge *m, const json_t *list, const json_t *theirs)
{
    AUTO(json_freep) json_t *documents = NULL;
    const char *id, *title, *title_here;
    const json_t *here;
    bool longer;
    enum err e;

    if ((e = json_get_text(theirs, "id", &id)) || (e = json_get_text(theirs, "title", &title)))
        return e;
    if (!id_is_valid(str_of(id)))
        return err_set(ERR_INVALID, "its id");
    here = bundle_of(list, id);
    if ((e = join(m, here, theirs, &documents, &longer)))
        return e;
    title_here = here ? json_string_value(json_object_get(here, "title")) : title;
    if (strcmp(title_here, title) != 0) {
        m->bundle_tally.conflicts++;
        merge_conflict(m, id, "a bundle of this id is here with another title: that stays");
    }
    m->bundle_tally.new_count += longer;
    m->bundle_tally.same += !longer;
    return longer ? put(m, id, title_here, documents) : ERR_OK;
}

enum err merge_bundles_put(struct merge *m)
{
    AUTO(json_freep) json_t *list = NULL;
    const json_t *theirs;
    size_t i;
    enum err e;

    if (!json_array_size(m->bundles))
        return ERR_OK;
    {
        AUTO(store_view_done) struct store_view view = {0};

        if ((e = store_view(m->store, &view)) || (e = bundle_list(view.db, &list)))
            return e;
    }
    json_array_foreach(m->bundles, i, theirs)
    {
        if ((e = put_bundle(m, list, theirs)))
            return err_wrap(e, "bundle %zu", i + 1);
    }
    return ERR_OK;
}
