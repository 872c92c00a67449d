#include "pds/store/store_check.h"

#include "pds/audit/trail.h"
#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/limits.h"
#include "pds/store/blob.h"
#include "pds/store/store_internal.h"
#include "pds/vault/vault.h"
#include "pds/vault/vault_before.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void found(void *context, const char *where, const char *what)
{
    json_t *problems = context;

    if (json_array_size(problems) < LIMIT_LIST_ANSWER)
        (void)json_array_append_new(
            problems, json_pack("{s:s, s:s}", "where", where, "what", what)); /* the count tells */
}

/* What an open store is made of, read: what is wrong with it is damage. */
struct reading {
    struct store *store;
    json_t *problems;
};

static void found_damage(void *context, const char *where, const char *what)
{
    struct reading *r = context;

    store_note_damage(r->store, where);
    found(r->problems, where, what);
}

/* What lies in the folder and should not, or can be read by others. */
static enum err check_folder(const char *dir, json_t *problems)
{
    static const char *const NAMES[] = {".",     "..",        "vault.db", "vault.db-wal",
                                        "files", "keys.json", "lock",     "control"};
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    struct stat st;
    size_t i;

    if (!folder)
        return fs_error("reading", dir);
    while ((entry = readdir(folder))) {
        for (i = 0; i < sizeof NAMES / sizeof *NAMES && strcmp(entry->d_name, NAMES[i]) != 0; i++)
            continue;
        if (store_key_is_left(entry->d_name)) /* being written, or the next start takes it away */
            continue;
        if (vault_before_is(entry->d_name)) /* kept from before a migration, sealed as vault.db is */
            continue;
        if (i == sizeof NAMES / sizeof *NAMES)
            found(problems, "folder", "something lies here that is no part of a store");
        else if (i >= 2 && !fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
                 (st.st_mode & 077))
            found(problems, NAMES[i], "others than its owner may reach it");
    }
    (void)closedir(folder); /* it was only read */
    return ERR_OK;
}

/* On pages that are damaged, it ends where they are, which is told already. */
static enum err check_trail(struct db *db, struct reading *r)
{
    int64_t lines;
    enum err e = trail_check(db, found_damage, r, &lines);

    if (e != ERR_CORRUPT)
        return e;
    found_damage(r, "trail", "it cannot be read to its end");
    return ERR_OK;
}

/* How far the last line of the trail is ahead of the clock; nothing that a damaged trail could tell. */
static int64_t ahead_of_clock(struct db *db)
{
    int64_t now = clock_now(), last;

    return !trail_time(db, &last) && last > now ? last - now : 0;
}

static enum err check_open(struct store *s, json_t *problems, struct vault_check_report *pages,
                           uint64_t *files, int64_t *ahead_s)
{
    AUTO(store_view_done) struct store_view view = {0};
    struct reading r = {s, problems};
    enum err e;

    if ((e = store_view(s, &view)) || (e = vault_check(view.vault, found_damage, &r, pages)) ||
        (e = check_trail(view.db, &r)))
        return e;
    *ahead_s = ahead_of_clock(view.db);
    if ((e = blob_check_folder(s, found, problems)))
        return e;
    return blob_check(s, view.db, found_damage, &r, files);
}

enum err store_check(struct store *s, const struct store_key *root, json_t **out)
{
    AUTO(json_freep) json_t *report = NULL;
    AUTO(json_freep) json_t *problems = json_array();
    struct vault_check_report pages = {0};
    uint64_t files = 0;
    int64_t ahead_s = 0;
    enum err e;

    if (!problems)
        return err_set(ERR_NO_MEMORY, "check");
    if ((e = check_folder(store_dir(s), problems)))
        return e;
    e = root ? vault_check_files(store_dir(s), root, store_id(s), found, problems, &pages)
             : check_open(s, problems, &pages, &files, &ahead_s);
    if (e)
        return e;
    report = json_pack("{s:b, s:I, s:I, s:I, s:I, s:O}", "ok",
                       json_array_size(problems) == 0 && pages.problems == 0, "pages",
                       (json_int_t)pages.pages, "files", (json_int_t)files, "unread",
                       (json_int_t)pages.unread, "ahead_s", (json_int_t)ahead_s, "problems", problems);
    if (!report)
        return err_set(ERR_NO_MEMORY, "check");
    *out = report;
    report = NULL; /* the caller's now */
    return ERR_OK;
}
