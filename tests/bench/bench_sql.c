/* One way of keeping a database, measured: bench_sql DIR WORK CACHE_KIB SIZE. Compiled three times: plain SQLite, the sealed
 * vault (BENCH_SEALED), SQLCipher (BENCH_SQLCIPHER). DIR is an empty private folder. */
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
    if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, "unix-excl"))
        return 1;
#ifdef BENCH_SQLCIPHER
    return sqlite3_exec(*out, "PRAGMA key = \"x'2DD29CA851E7B56E4697B0E1F08507293D761A05CE4D1B628663F411A8086D99'\"", NULL, NULL, NULL);
#else
    return 0;
#endif
}

static void close_db(void) {}
#endif

int main(int argc, char *argv[])
{
    struct work_result result;
    sqlite3 *db = NULL;
    char pragma[256];

    if (argc != 5)
        return 2;
    if (open_db(argv[1], &db))
        return 1;
    /* The same for each: what the program itself asks for, with the cache given. The general work is about CPU, so it does not
     * wait for the disk; commits do. */
    (void)snprintf(pragma, sizeof pragma, "PRAGMA journal_mode=WAL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%d; PRAGMA synchronous=%s",
                   atoi(argv[3]), strcmp(argv[2], "commits") ? "NORMAL" : "FULL");
    if (sqlite3_exec(db, pragma, NULL, NULL, NULL))
        return 1;
    if (strcmp(argv[2], "general") == 0) {
        work_general(db, atoi(argv[4]), &result);
        work_print(argv[2], &result);
    } else if (strcmp(argv[2], "records") == 0) {
        work_records(db, atoi(argv[4]), &result);
        work_print(argv[2], &result);
    } else {
        (void)printf("{\"work\":\"commits\",\"per_s\":%.1f}\n", work_commits(db, atof(argv[4])));
    }
    if (sqlite3_close(db))
        return 1;
    close_db();
    return 0;
}
