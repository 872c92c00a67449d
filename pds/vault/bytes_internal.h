/* Numbers in files of the vault: big-endian, as SQLite's own. */
#ifndef VAULT_BYTES_INTERNAL_H
#define VAULT_BYTES_INTERNAL_H
#include <stdint.h>

static inline void bytes_put32(uint8_t *at, uint32_t n)
{
    at[0] = (uint8_t)(n >> 24);
    at[1] = (uint8_t)(n >> 16);
    at[2] = (uint8_t)(n >> 8);
    at[3] = (uint8_t)n;
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void bytes_put64(uint8_t *at, uint64_t n)
{
    bytes_put32(at, (uint32_t)(n >> 32));
    bytes_put32(at + 4, (uint32_t)n);
}

static inline uint64_t bytes_get64(const uint8_t *at)
{
    return (uint64_t)bytes_get32(at) << 32 | bytes_get32(at + 4);
}
#endif
