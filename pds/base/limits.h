/* Every ceiling of the program, on one page. A ceiling stands before a parser;
 * the figures come from the security brief, rules 4.1 to 4.3. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define KIB (1024L)
#define MIB (1024L * KIB)
#define GIB (1024L * MIB)

/* HTTP */
#define LIMIT_REQUEST_LINE_BYTES   (8 * KIB)
#define LIMIT_HEADER_BYTES         (16 * KIB)
#define LIMIT_HEADER_FIELDS        64
#define LIMIT_HEADER_DEADLINE_MS   10000
#define LIMIT_IDLE_MS              30000
#define LIMIT_HANDLER_MS           30000
#define LIMIT_BODY_GRACE_MS        10000 /* after this a body must keep the pace below */
#define LIMIT_BODY_BYTES_PER_S     KIB
#define LIMIT_CONNECTIONS          256
#define LIMIT_CONNECTIONS_ADDRESS  32
#define LIMIT_CONNECTIONS_RESERVED 16  /* of LIMIT_CONNECTIONS, for loopback without a proxy */
#define LIMIT_REQUESTS_PER_MIN     600 /* of a household; this machine without a proxy has none */
#define LIMIT_JSON_BODY_BYTES      (256 * KIB)
#define LIMIT_JSON_DEPTH           32
#define LIMIT_JSON_KEYS            256
#define LIMIT_FORM_BYTES           (16 * KIB)
#define LIMIT_UPLOAD_FILE_BYTES    (2 * GIB)
#define LIMIT_UPLOAD_BYTES         (LIMIT_UPLOAD_FILE_BYTES + 64 * KIB) /* with the form around it */
#define LIMIT_UPLOAD_QUEUE_BYTES   (256 * KIB) /* of an upload, waiting for its reader */
#define LIMIT_URL_SEGMENTS         16
#define LIMIT_WORKERS              16 /* threads that run handlers */
#define LIMIT_WORKERS_STORE        8  /* of them, for one of many stores */
#define LIMIT_POINTS_ANSWER        100000
#define LIMIT_DOCUMENTS_ANSWER     500 /* a title, tags and note each */
#define LIMIT_LIST_ANSWER          1000

/* Sign-in */
#define LIMIT_DERIVATIONS         2 /* at once, a process */
#define LIMIT_DERIVATIONS_WAITING 8
#define LIMIT_FAILURES_FREE       5 /* wrong passphrases before the delay doubles from 1 s */
#define LIMIT_FAILURE_DELAY_MAX_S 60
#define LIMIT_SESSION_IDLE_S      (15 * 60)
#define LIMIT_SESSION_S           (12 * 3600)
#define LIMIT_SESSIONS            64
#define LIMIT_PASSPHRASE_MIN      12 /* characters */
#define LIMIT_PASSPHRASE_BYTES    1024

/* Files of others */
#define LIMIT_FILE_NAME_BYTES 255
#define LIMIT_CSV_LINE_BYTES  MIB
#define LIMIT_CSV_COLUMNS     512
#define LIMIT_CSV_FIELD_BYTES (64 * KIB)
#define LIMIT_POINTS_FILE     10000000
#define LIMIT_FILES_IMPORT    64  /* in one command or request */
#define LIMIT_WARNINGS        100 /* told one by one; the rest is counted */

/* Archives of others */
#define LIMIT_ARCHIVE_RATIO      200 /* plain : packed */
#define LIMIT_ARCHIVE_NAME_BYTES 1024
#define LIMIT_AGE_HEADER_BYTES   (64 * KIB)

/* Backups of ours */
#define LIMIT_BACKUP_FILES          100000
#define LIMIT_BACKUP_MANIFEST_BYTES (32 * MIB)

/* Many stores of one daemon */
#define LIMIT_STORE_NAME   32 /* letters, digits and '-' */
#define LIMIT_STORES       4096
#define LIMIT_STORES_OPEN  64
#define LIMIT_STORES_SPARE 8                    /* of them, kept free for whoever comes next */
#define LIMIT_STORE_IDLE_S LIMIT_SESSION_IDLE_S /* an open store without use is closed; --idle-minutes */

/* The trail */
#define LIMIT_NOTE_BYTES   (64 * KIB)
#define LIMIT_PROOF_BYTES  (128 * KIB)
#define LIMIT_VERIFY_BYTES (512 * MIB) /* of a file to be verified */

/* Exports of other stores */
#define LIMIT_MERGE_ENTRIES    100000
#define LIMIT_MERGE_BYTES      (64 * GIB) /* of all entries, plain */
#define LIMIT_MERGE_HELD_BYTES (64 * MIB) /* names, facts of documents, annotations: they wait in memory */

/* The vault */
#define LIMIT_KEYS_FILE_BYTES       (64 * KIB)
#define LIMIT_KEY_SLOTS             16
#define LIMIT_SQL_BYTES             (64 * KIB)
#define LIMIT_CONTROL_REQUEST_BYTES (64 * KIB)
#define LIMIT_READERS               8 /* connections that read, a store */
#define LIMIT_ARENA_BYTES           (4 * MIB)
#define LIMIT_RESERVE_BYTES         (4 * MIB) /* of disk, kept for when it is full: vault_reserve.h */
#endif
