/* One way of keeping a database, measured: bench_sql DIR WORK CACHE_KIB SIZE. Compiled three times: plain
 * SQLite, the sealed vault (BENCH_SEALED), SQLCipher (BENCH_SQLCIPHER; without its key when UNKEYED is in the
 * environment). DIR is an empty private folder. Prints one JSON object, on the last line. */
#include "work.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the database is, by which file system. */
struct place {
    char path[1024];
    const char *vfs;
};

#ifdef BENCH_SEALED
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"
#include "pds/vault/vfs_internal.h"

static struct vfs *vfs;
static struct store_key *key;

static int begin(const char *dir, struct place *out)
{
    static const uint8_t id[STORE_ID_BYTES] = {1};

    if (random_start() || !(key = store_key_new()))
        return 1;
    memset(key->bytes, 7, sizeof key->bytes);
    if (vault_create(dir, key, id) || vfs_open(dir, key, id, false, &vfs)) {
        (void)fprintf(stderr, "bench: %s\n", err_story());
        return 1;
    }
    (void)snprintf(out->path, sizeof out->path, "%s", vfs->db_path);
    out->vfs = vfs->name;
    return 0;
}

static void finish(void)
{
    vfs_close(vfs);
    store_key_free(key);
}
#else
static int begin(const char *dir, struct place *out)
{
    if (sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0)) /* as the vault has it */
        return 1;
    (void)snprintf(out->path, sizeof out->path, "%s/plain.db", dir);
    out->vfs = "unix-excl";
    return 0;
}

static void finish(void) {}
#endif

static char settings[512];

/* Each connection begins with the same settings: what the program itself asks for, with the cache given. What
 * is durable on our side is durable here: commits and inserts wait for the disk. The rest is about CPU, and
 * does not. */
static void settle(const char *work, int cache_kib)
{
    int durable = strcmp(work, "commits") == 0 || strcmp(work, "inserts") == 0;
    const char *unlock = "";

#ifdef BENCH_SQLCIPHER
    if (!getenv("UNKEYED"))
        unlock = "PRAGMA key = \"x'2DD29CA851E7B56E4697B0E1F08507293D761A05CE4D1B628663F411A8086D99'\";";
#endif
    (void)snprintf(settings, sizeof settings,
                   "%sPRAGMA journal_mode=WAL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON;"
                   "PRAGMA cache_size=-%d; PRAGMA synchronous=%s",
                   unlock, cache_kib, durable ? "FULL" : "NORMAL");
}

static int apply_settings(sqlite3 *db, char **story, const void *api)
{
    (void)story, (void)api;
    return sqlite3_exec(db, settings, NULL, NULL, NULL);
}

static int run_on(const struct place *place, const char *name, const char *size)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    struct work_result result;
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(place->path, &db, flags, place->vfs))
        return 1;
    if (strcmp(name, "commits") == 0) {
        (void)printf("{\"work\":\"commits\",\"per_s\":%.1f}\n", work_commits(db, atof(size)));
    } else {
        if (strcmp(name, "records") == 0)
            work_records(db, atoi(size), &result);
        else
            work_inserts(db, atoi(size), &result);
        work_print(name, &result);
    }
    return sqlite3_close(db) != SQLITE_OK;
}

#ifdef BENCH_SPEEDTEST
/* SQLite's own test/speedtest1.c, whose main() is renamed, and which may not remove the vault that it finds.
 */
int speedtest1_main(int argc, char *argv[]);
int speedtest1_unlink(const char *path);

int speedtest1_unlink(const char *path)
{
    (void)path;
    return 0;
}

static int run_speedtest(struct place *place, const char *cache_kib, const char *size, const char *verify)
{
    char cache[32], vfs_name[64];
    const char *argv[] = {"speedtest1", "--journal", "wal",    "--cachesize", cache,       "--size",
                          size,         "--vfs",     vfs_name, verify,        place->path, NULL};
    double begun = work_cpu_now();

    (void)snprintf(cache, sizeof cache, "-%s", cache_kib);
    (void)snprintf(vfs_name, sizeof vfs_name, "%s", place->vfs);
    if (speedtest1_main(sizeof argv / sizeof *argv - 1, (char **)argv))
        return 1;
    (void)printf("\n{\"work\":\"speedtest1\",\"cpu_s\":%.4f}\n", work_cpu_now() - begun);
    return 0;
}
#else
static int run_speedtest(struct place *place, const char *cache_kib, const char *size, const char *verify)
{
    (void)place, (void)cache_kib, (void)size, (void)verify;
    (void)fprintf(stderr, "bench: built without speedtest1\n");
    return 1;
}
#endif

int main(int argc, char *argv[])
{
    static const char *const WORKS[] = {"commits", "inserts", "records", "speedtest1", "speedtest1-verify"};
    struct place place;
    int outcome;
    size_t i = 0;

    while (i < sizeof WORKS / sizeof *WORKS && argc == 5 && strcmp(argv[2], WORKS[i]) != 0)
        i++;
    if (argc != 5 || i == sizeof WORKS / sizeof *WORKS) {
        (void)fprintf(stderr, "Usage: bench_sql DIR commits|inserts|records|speedtest1 CACHE_KIB SIZE\n");
        return 2;
    }
    if (begin(argv[1], &place))
        return 1;
    settle(argv[2], atoi(argv[3]));
    if (sqlite3_auto_extension((void (*)(void))apply_settings))
        return 1;
    if (i >= 3)
        outcome = run_speedtest(&place, argv[3], argv[4], i == 3 ? "--nomutex" : "--verify");
    else
        outcome = run_on(&place, argv[2], argv[4]);
    finish();
    return outcome;
}
