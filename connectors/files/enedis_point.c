#include "connectors/files/enedis_point.h"

#include "pds/base/mem.h"

#include <assert.h>
#include <string.h>

void enedis_points_done(struct enedis_points *p)
{
    mem_free(p->list);
    *p = (struct enedis_points){0};
}

bool enedis_points_is_full(const struct enedis_points *p) { return p->count == ENEDIS_POINTS_MAX; }

enum err enedis_points_add(struct enedis_points *p, struct enedis_point point)
{
    if (!p->list && !(p->list = mem_array(ENEDIS_POINTS_MAX, sizeof *p->list)))
        return err_set(ERR_NO_MEMORY, "keeping lines in order");
    assert(!enedis_points_is_full(p));
    if (p->count > 0 && point.at < p->list[p->count - 1].at)
        p->unsorted = true;
    p->list[p->count++] = point;
    return ERR_OK;
}

static bool is_before(const struct enedis_point *a, const struct enedis_point *b)
{
    return a->at != b->at ? a->at < b->at : a->line < b->line;
}

static void swap(struct enedis_point *a, struct enedis_point *b)
{
    struct enedis_point kept = *a;

    *a = *b;
    *b = kept;
}

/* The list is a heap but for its root. */
static void sift(struct enedis_point *list, size_t root, size_t count)
{
    size_t child;

    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && is_before(&list[child], &list[child + 1]))
            child++;
        if (!is_before(&list[root], &list[child]))
            return;
        swap(&list[root], &list[child]);
        root = child;
    }
}

/* Heapsort: no memory, and no order of lines that makes it slow. */
void enedis_points_sort(struct enedis_points *p)
{
    if (!p->unsorted)
        return;
    for (size_t i = p->count / 2; i-- > 0;)
        sift(p->list, i, p->count);
    for (size_t i = p->count; i-- > 1;) {
        swap(&p->list[0], &p->list[i]);
        sift(p->list, 0, i);
    }
    p->unsorted = false;
}

void enedis_points_merge(struct enedis_points *p, void *context,
                         bool (*pick)(void *context, const struct enedis_point *earlier,
                                      const struct enedis_point *later))
{
    size_t kept = 0;

    enedis_points_sort(p);
    for (size_t i = 1; i < p->count; i++)
        if (p->list[i].at != p->list[kept].at)
            p->list[++kept] = p->list[i];
        else if (pick(context, &p->list[kept], &p->list[i]))
            p->list[kept] = p->list[i];
    p->count = p->count > 0 ? kept + 1 : 0;
}

void enedis_points_drop_front(struct enedis_points *p, size_t keep)
{
    if (keep >= p->count)
        return;
    memmove(p->list, p->list + (p->count - keep), keep * sizeof *p->list);
    p->count = keep;
}
