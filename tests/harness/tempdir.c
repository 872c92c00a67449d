#include "tests/harness/tempdir.h"

#include "pds/base/fs.h"
#include "tests/harness/test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPEN_FOLDERS = 16 };

/* Memory of the harness is malloc's, so that mem_live() counts only what is tested. */
struct path {
    struct path *next; /* owned */
    char text[FS_PATH_BYTES];
};

struct tempdir {
    struct tempdir *next; /* in alive */
    struct path *paths;   /* owned */
    pid_t maker;          /* a child that ends removes nothing */
    char root[FS_PATH_BYTES];
};

static struct tempdir *alive;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_left(void)
{
    while (alive)
        tempdir_free(alive);
}

struct tempdir *tempdir_new(void)
{
    static bool registered;
    const char *base = getenv("TMPDIR");
    struct tempdir *d = calloc(1, sizeof *d);

    assert_non_null(d);
    assert_ok(fs_join(d->root, base && *base ? base : "/tmp", "traboule-test-XXXXXX"));
    assert_non_null(mkdtemp(d->root));
    d->maker = getpid();
    d->next = alive;
    alive = d;
    if (!registered)
        registered = atexit(remove_left) == 0;
    return d;
}

const char *tempdir_root(const struct tempdir *d) { return d->root; }

const char *tempdir_path(struct tempdir *d, const char *name)
{
    struct path *path = calloc(1, sizeof *path);

    assert_non_null(path);
    path->next = d->paths;
    d->paths = path;
    assert_ok(fs_join(path->text, d->root, name));
    return path->text;
}

void tempdir_free(struct tempdir *d)
{
    if (!d)
        return;
    for (struct tempdir **at = &alive; *at; at = &(*at)->next) {
        if (*at == d) {
            *at = d->next;
            break;
        }
    }
    if (d->maker == getpid() && nftw(d->root, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
        print_error("%s is not removed\n", d->root);
    for (struct path *path = d->paths, *next; path; path = next) {
        next = path->next;
        free(path);
    }
    free(d);
}
