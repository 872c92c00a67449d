#include "pds/base/id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { TIME_BITS = 48, TIME_CHARS = 10, RANDOM_BYTES = 10 };

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's: no I, L, O, U */

static enum err fill_random(uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom(bytes + done, len - done, 0);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return err_set(ERR_IO, "random bytes: %s", strerror(errno));
    }
    return ERR_OK;
}

/* 40 bits as 8 characters. */
static void put_five_bytes(const uint8_t b[static 5], char *out)
{
    uint64_t n =
        (uint64_t)b[0] << 32 | (uint64_t)b[1] << 24 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 8 | b[4];

    for (int i = 8; i-- > 0; n >>= 5)
        out[i] = ALPHABET[n & 31];
}

enum err id_make(int64_t now_ms, char out[static ID_CHARS + 1])
{
    uint8_t random[RANDOM_BYTES];
    uint64_t time = (uint64_t)now_ms;
    enum err e;

    if (now_ms < 0 || now_ms >> TIME_BITS)
        return err_set(ERR_INVALID, "an instant that no id can hold");
    if ((e = fill_random(random, sizeof random)))
        return err_wrap(e, "new id");
    for (int i = TIME_CHARS; i-- > 0; time >>= 5)
        out[i] = ALPHABET[time & 31];
    put_five_bytes(random, out + TIME_CHARS);
    put_five_bytes(random + 5, out + TIME_CHARS + 8);
    out[ID_CHARS] = '\0';
    return ERR_OK;
}

bool id_is_valid(struct str text)
{
    if (text.len != ID_CHARS || text.ptr[0] < '0' || text.ptr[0] > '7') /* 48 bits: the first holds three */
        return false;
    for (size_t i = 0; i < ID_CHARS; i++)
        if (text.ptr[i] == '\0' || !strchr(ALPHABET, text.ptr[i]))
            return false;
    return true;
}
