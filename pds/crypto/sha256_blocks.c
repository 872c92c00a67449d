#include "pds/crypto/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <stdbool.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

/* FIPS 180-4 4.2.2, four to a row as the instructions take them. */
static const uint32_t K[16][4] __attribute__((aligned(16))) = {
    {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5}, {0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5},
    {0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3}, {0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174},
    {0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc}, {0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da},
    {0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7}, {0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967},
    {0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13}, {0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85},
    {0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3}, {0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070},
    {0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5}, {0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3},
    {0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208}, {0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2},
};

/* The state as the instructions hold it. */
struct halves {
    __m128i abef, cdgh;
};

/* Four rounds with the words m of the schedule. */
WITH_SHA static inline void rounds(struct halves *s, __m128i m, size_t row)
{
    __m128i t = _mm_add_epi32(m, _mm_load_si128((const __m128i *)(const void *)K[row]));

    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, t);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(t, 0x0e));
}

/* The next four words of the schedule, from the sixteen before them (FIPS 180-4 6.2.2, 1). */
WITH_SHA static inline __m128i schedule(__m128i m0, __m128i m1, __m128i m2, __m128i m3)
{
    __m128i w = _mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4));

    return _mm_sha256msg2_epu32(w, m3);
}

/* Four words of a block, which are big-endian. */
WITH_SHA static inline __m128i load(const uint8_t *bytes)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)bytes), swap);
}

WITH_SHA static void compress(struct halves *s, const uint8_t *block)
{
    struct halves before = *s;
    __m128i m0 = load(block), m1 = load(block + 16), m2 = load(block + 32), m3 = load(block + 48);

    for (size_t row = 0;; row += 4) {
        rounds(s, m0, row);
        rounds(s, m1, row + 1);
        rounds(s, m2, row + 2);
        rounds(s, m3, row + 3);
        if (row == 12)
            break;
        m0 = schedule(m0, m1, m2, m3);
        m1 = schedule(m1, m2, m3, m0);
        m2 = schedule(m2, m3, m0, m1);
        m3 = schedule(m3, m0, m1, m2);
    }
    s->abef = _mm_add_epi32(s->abef, before.abef);
    s->cdgh = _mm_add_epi32(s->cdgh, before.cdgh);
}

WITH_SHA static void compress_all(uint32_t state[static 8], const uint8_t *bytes, size_t blocks)
{
    __m128i *at = (__m128i *)(void *)state;
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1),
            efgh = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b), feba, dchg;
    struct halves s = {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};

    for (; blocks > 0; blocks--, bytes += SHA256_BLOCK_BYTES)
        compress(&s, bytes);
    feba = _mm_shuffle_epi32(s.abef, 0x1b);
    dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

static bool is_able(void)
{
    static atomic_int known; /* 0: not asked yet; 1: no; 2: yes. Whoever asks finds the same. */
    unsigned a, b, c, d;
    int k = atomic_load_explicit(&known, memory_order_relaxed);

    if (k == 0) {
        bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);

        k = sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) ? 2 : 1;
        atomic_store_explicit(&known, k, memory_order_relaxed);
    }
    return k == 2;
}

size_t sha256_blocks(uint32_t state[static 8], const uint8_t *bytes, size_t len)
{
    size_t blocks = len / SHA256_BLOCK_BYTES;

    if (blocks == 0 || !is_able())
        return 0;
    compress_all(state, bytes, blocks);
    return blocks * SHA256_BLOCK_BYTES;
}

#else

size_t sha256_blocks(uint32_t state[static 8], const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    (void)len;
    return 0;
}

#endif
