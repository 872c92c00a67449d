/* Archives: tar and zip written as a stream, and read under the ceilings of security brief 4.2. The only
 * folder that includes archive.h (libarchive).
 *
 * Names are labels: relative, with "/" between, no "..", no drive, no control character. Links and devices
 * are refused, and archives with more entries, bytes or compression than whoever reads allows (pack_limits).
 */
#ifndef ARCHIVE_PACK_H
#define ARCHIVE_PACK_H
#include "pds/base/err.h"
#include "pds/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum pack_format { PACK_TAR, /* pax where plain ustar cannot */ PACK_ZIP };

typedef enum err pack_put(void *context, const void *bytes, size_t len);
typedef enum err pack_get(void *context, void *out, size_t size, size_t *got);

struct pack_writer;
MUST_CHECK enum err pack_writer_new(enum pack_format format, pack_put *put, void *context,
                                    struct pack_writer **out);
/* Begin an entry: a regular file, mode 0600. size -1 when it is not known (zip alone). at: seconds, UTC. */
MUST_CHECK enum err pack_begin(struct pack_writer *w, const char *name, int64_t size, int64_t at);
/* The same for a zip, stored as it is: a file that another chose, which no ceiling of compression may refuse
 * when it is read again. Its size must be known. */
MUST_CHECK enum err pack_begin_stored(struct pack_writer *w, const char *name, int64_t size, int64_t at);
MUST_CHECK enum err pack_write(struct pack_writer *w, const void *bytes, size_t len);
/* After the last byte of an entry; ERR_INTERNAL when fewer or more came than begun with. */
MUST_CHECK enum err pack_end(struct pack_writer *w);
MUST_CHECK enum err pack_finish(struct pack_writer *w);
void pack_writer_free(struct pack_writer *w); /* NULL is fine */
static inline void pack_writer_freep(struct pack_writer **w) { pack_writer_free(*w); }

struct pack_limits {
    uint64_t bytes; /* of all entries together, plain */
    uint64_t entries;
    unsigned ratio; /* plain : packed, after the first MiB; 0 without limit */
};
struct pack_reader;
/* formats: 1 << PACK_TAR | 1 << PACK_ZIP. ERR_UNSUPPORTED when it is none of them. Streams: a zip is read
 * from its beginning. */
MUST_CHECK enum err pack_reader_new(unsigned formats, const struct pack_limits *limits, pack_get *get,
                                    void *context, struct pack_reader **out);
/* The next regular file. *name is borrowed until the next call; *size -1 when it is not told. ERR_NOT_FOUND
 * after the last; ERR_INVALID for a name, link or device as above or the same name twice; ERR_TOO_LARGE. */
MUST_CHECK enum err pack_next(struct pack_reader *r, struct str *name, int64_t *size);
MUST_CHECK enum err pack_read(struct pack_reader *r, void *out, size_t size, size_t *got);
void pack_reader_free(struct pack_reader *r); /* NULL is fine */
static inline void pack_reader_freep(struct pack_reader **r) { pack_reader_free(*r); }
#endif
