/* SHA-256 of whole blocks by the processor's own instructions, four times as fast as without (decision 0008).
 */
#ifndef CRYPTO_SHA256_BLOCKS_H
#define CRYPTO_SHA256_BLOCKS_H
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK_BYTES = 64 };

/* Compress as many whole blocks of bytes as there are into the state; returns how many bytes that was. 0 on a
 * processor that cannot. */
size_t sha256_blocks(uint32_t state[static 8], const uint8_t *bytes, size_t len);
#endif
