/* A sealed blob: a file of any size, chunk by chunk of 64 KiB, each bound to its place, the last
 * marked, so that change, reordering and cutting show. Random access. Each blob has a key of its
 * own, kept elsewhere. Layout: docs/vault-format.md. */
#ifndef CRYPTO_SEALFILE_H
#define CRYPTO_SEALFILE_H
#include "pds/base/err.h"
#include "pds/crypto/secret.h"

#include <stddef.h>
#include <stdint.h>

enum { SEALFILE_CHUNK_BYTES = 64 * 1024 };

struct sealfile_writer;
/* Start writing at the beginning of fd (borrowed, empty). A key seals one file, once. */
MUST_CHECK enum err sealfile_writer_new(int fd, const struct blob_key *key, struct sealfile_writer **out);
MUST_CHECK enum err sealfile_write(struct sealfile_writer *w, const void *bytes, size_t len);
/* The last chunk, written once; the caller syncs fd. After a failure of either call the writer stays failed.
 */
MUST_CHECK enum err sealfile_finish(struct sealfile_writer *w);
void sealfile_writer_free(struct sealfile_writer *w);
static inline void sealfile_writer_freep(struct sealfile_writer **w) { sealfile_writer_free(*w); }

struct sealfile_reader;
/* Open what stands in fd (borrowed): ERR_CORRUPT unless its end is sealed as an end. */
MUST_CHECK enum err sealfile_reader_new(int fd, const struct blob_key *key, struct sealfile_reader **out);
uint64_t sealfile_size(const struct sealfile_reader *r); /* plain bytes */
/* Up to len bytes from offset into out; *got is less only at the end. ERR_CORRUPT names the chunk. */
MUST_CHECK enum err sealfile_read(struct sealfile_reader *r, uint64_t offset, void *out, size_t len,
                                  size_t *got);
void sealfile_reader_free(struct sealfile_reader *r);
static inline void sealfile_reader_freep(struct sealfile_reader **r) { sealfile_reader_free(*r); }
#endif
