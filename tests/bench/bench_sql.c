/* One way of keeping a database, measured: bench_sql DIR WORK CACHE_KIB SIZE. Compiled three times: plain
 * SQLite, the sealed vault (BENCH_SEALED), SQLCipher (BENCH_SQLCIPHER). DIR is an empty private folder. */
#include "work.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef BENCH_SEALED
#include "pds/crypto/random.h"
#include "pds/vault/vault.h"
#include "pds/vault/vfs_internal.h"

static struct vfs *vfs;
static struct store_key *key;

static int open_db(const char *dir, sqlite3 **out)
{
    static const uint8_t id[STORE_ID_BYTES] = {1};

    if (random_start() || !(key = store_key_new()))
        return 1;
    memset(key->bytes, 7, sizeof key->bytes);
    if (vault_create(dir, key, id) || vfs_open(dir, key, id, false, &vfs)) {
        (void)fprintf(stderr, "bench: %s\n", err_story());
        return 1;
    }
    return sqlite3_open_v2(vfs->db_path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, vfs->name);
}

static void close_db(void)
{
    vfs_close(vfs);
    store_key_free(key);
}
#else
static int open_db(const char *dir, sqlite3 **out)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/plain.db", dir);
    if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        "unix-excl"))
        return 1;
#ifdef BENCH_SQLCIPHER
    return sqlite3_exec(
        *out, "PRAGMA key = \"x'2DD29CA851E7B56E4697B0E1F08507293D761A05CE4D1B628663F411A8086D99'\"", NULL,
        NULL, NULL);
#else
    return 0;
#endif
}

static void close_db(void) {}
#endif

/* Commits are timed by the clock; all else by CPU. What is durable on our side is durable here: commits and
 * inserts wait for the disk. The general work and the records are about CPU, and do not. */
static int work(sqlite3 *db, const char *name, const char *size)
{
    static const struct {
        const char *name;
        void (*run)(sqlite3 *db, int size, struct work_result *out);
    } WORKS[] = {{"general", work_general}, {"records", work_records}, {"inserts", work_inserts}};
    struct work_result result;

    if (strcmp(name, "commits") == 0) {
        (void)printf("{\"work\":\"commits\",\"per_s\":%.1f}\n", work_commits(db, atof(size)));
        return 0;
    }
    for (size_t i = 0; i < sizeof WORKS / sizeof *WORKS; i++) {
        if (strcmp(name, WORKS[i].name) == 0) {
            WORKS[i].run(db, atoi(size), &result);
            work_print(name, &result);
            return 0;
        }
    }
    return 2;
}

int main(int argc, char *argv[])
{
    sqlite3 *db = NULL;
    char pragma[256];
    int outcome, durable;

    if (argc != 5)
        return 2;
    if (open_db(argv[1], &db))
        return 1;
    /* The same for each: what the program itself asks for, with the cache given. */
    durable = strcmp(argv[2], "commits") == 0 || strcmp(argv[2], "inserts") == 0;
    (void)snprintf(pragma, sizeof pragma,
                   "PRAGMA journal_mode=WAL; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; "
                   "PRAGMA cache_size=-%d; PRAGMA synchronous=%s",
                   atoi(argv[3]), durable ? "FULL" : "NORMAL");
    if (sqlite3_exec(db, pragma, NULL, NULL, NULL))
        return 1;
    outcome = work(db, argv[2], argv[4]);
    if (sqlite3_close(db))
        return 1;
    close_db();
    return outcome;
}
