#include "pds/audit/tlog.h"

#include "pds/crypto/sha256.h"

#include <inttypes.h>
#include <string.h>

_Static_assert((int)TLOG_HASH_BYTES == (int)SHA256_BYTES, "size of a hash");

void tlog_leaf(const void *data, size_t len, struct tlog_hash *out)
{
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, "\0", 1); /* RFC 6962 2.1: what tells leaves from nodes */
    sha256_add(&h, data, len);
    sha256_end(&h, out->bytes);
}

void tlog_parent(const struct tlog_hash *left, const struct tlog_hash *right, struct tlog_hash *out)
{
    uint8_t both[1 + 2 * TLOG_HASH_BYTES] = {1};

    memcpy(both + 1, left->bytes, TLOG_HASH_BYTES);
    memcpy(both + 1 + TLOG_HASH_BYTES, right->bytes, TLOG_HASH_BYTES);
    sha256_of(both, sizeof both, out->bytes);
}

void tlog_frontier_add(struct tlog_frontier *f, const struct tlog_hash *leaf)
{
    struct tlog_hash hash = *leaf;
    unsigned level = 0;

    for (; (f->size >> level) & 1; level++)
        tlog_parent(&f->whole[level], &hash, &hash);
    f->whole[level] = hash;
    f->size++;
}

/* The whole subtree that a frontier has at a level. */
static enum err frontier_node(void *context, unsigned level, int64_t number, struct tlog_hash *out)
{
    (void)number;
    *out = ((const struct tlog_frontier *)context)->whole[level];
    return ERR_OK;
}

void tlog_frontier_root(const struct tlog_frontier *f, struct tlog_hash *out)
{
    struct tlog_frontier held = *f;

    err_ignore(tlog_root(f->size, frontier_node, &held, out)); /* a frontier has all that is asked of it */
}

/* Leaves of the left subtree of a tree of `size`: the largest power of two below it. size ≥ 2. */
static int64_t split(int64_t size)
{
    int64_t k = 1;

    while (k * 2 < size)
        k *= 2;
    return k;
}

/* The root over leaves [first, first + size), a subtree as RFC 6962 makes them: first is a multiple of the
 * power of two that holds size. size ≥ 1. */
static enum err subtree(int64_t first, int64_t size, tlog_node *node, void *context, struct tlog_hash *out)
{
    struct tlog_hash hash = {{0}}, left;
    unsigned level = 0;
    bool any = false;
    enum err e;

    /* From the right: whole subtrees, the smallest last. */
    for (int64_t rest = size; rest; rest >>= 1, level++) {
        if (!(rest & 1))
            continue;
        if ((e = node(context, level, (first >> level) + (rest & ~INT64_C(1)), &left)))
            return e;
        if (any)
            tlog_parent(&left, &hash, &hash);
        else
            hash = left;
        any = true;
    }
    *out = hash;
    return ERR_OK;
}

enum err tlog_root(int64_t size, tlog_node *node, void *context, struct tlog_hash *out)
{
    if (size < 0)
        return err_set(ERR_INVALID, "a log of %" PRId64 " leaves", size);
    if (size == 0) {
        sha256_of("", 0, out->bytes);
        return ERR_OK;
    }
    return subtree(0, size, node, context, out);
}

/* What a path is made of is found from the root down, and told from the leaf up. */
static void turn(struct tlog_path *path)
{
    for (size_t i = 0; i < path->count / 2; i++) {
        struct tlog_hash held = path->hashes[i];

        path->hashes[i] = path->hashes[path->count - 1 - i];
        path->hashes[path->count - 1 - i] = held;
    }
}

enum err tlog_inclusion(int64_t index, int64_t size, tlog_node *node, void *context, struct tlog_path *out)
{
    struct tlog_path path = {.count = 0};
    int64_t first = 0, leaves = size;
    enum err e;

    if (index < 0 || index >= size)
        return err_set(ERR_INVALID, "leaf %" PRId64 " of %" PRId64, index, size);
    while (leaves > 1) {
        int64_t k = split(leaves);
        bool left = index - first < k;

        if ((e = subtree(left ? first + k : first, left ? leaves - k : k, node, context,
                         &path.hashes[path.count])))
            return e;
        path.count++;
        first += left ? 0 : k;
        leaves = left ? k : leaves - k;
    }
    turn(&path);
    *out = path;
    return ERR_OK;
}

enum err tlog_consistency(int64_t old_size, int64_t size, tlog_node *node, void *context,
                          struct tlog_path *out)
{
    struct tlog_path path = {.count = 0};
    int64_t first = 0, leaves = size, old = old_size;
    bool known = true; /* the subtree at hand is the whole old log: its root is told already */
    enum err e;

    if (old_size < 1 || old_size > size)
        return err_set(ERR_INVALID, "a log of %" PRId64 " leaves against one of %" PRId64, old_size, size);
    while (old < leaves) {
        int64_t k = split(leaves);
        bool left = old <= k;

        if ((e = subtree(left ? first + k : first, left ? leaves - k : k, node, context,
                         &path.hashes[path.count])))
            return e;
        path.count++;
        if (!left) {
            first += k;
            old -= k;
            known = false;
        }
        leaves = left ? k : leaves - k;
    }
    if (!known) {
        if ((e = subtree(first, leaves, node, context, &path.hashes[path.count])))
            return e;
        path.count++;
    }
    turn(&path);
    *out = path;
    return ERR_OK;
}

enum err tlog_check_inclusion(const struct tlog_hash *leaf, int64_t index, int64_t size,
                              const struct tlog_path *path, const struct tlog_hash *root)
{
    struct tlog_hash hash = *leaf;
    int64_t at = index, last = size - 1;
    size_t used = 0;

    if (index < 0 || index >= size)
        return err_set(ERR_CORRUPT, "leaf %" PRId64 " of %" PRId64, index, size);
    for (; last > 0; at >>= 1, last >>= 1) {
        if (!(at & 1) && at == last)
            continue; /* without a sibling: it is its own parent */
        if (used == path->count)
            return err_set(ERR_CORRUPT, "the proof is too short");
        if (at & 1)
            tlog_parent(&path->hashes[used], &hash, &hash);
        else
            tlog_parent(&hash, &path->hashes[used], &hash);
        used++;
    }
    if (used != path->count)
        return err_set(ERR_CORRUPT, "the proof is too long");
    if (memcmp(hash.bytes, root->bytes, TLOG_HASH_BYTES) != 0)
        return err_set(ERR_CORRUPT, "the proof leads to another root");
    return ERR_OK;
}

/* Both roots, from the subtree at which the old log ended. */
static enum err climb(int64_t at, int64_t last, const struct tlog_path *path, size_t used,
                      struct tlog_hash *old_root, struct tlog_hash *root)
{
    for (; last > 0; at >>= 1, last >>= 1) {
        if (!(at & 1) && at == last)
            continue;
        if (used == path->count)
            return err_set(ERR_CORRUPT, "the proof is too short");
        if (at & 1) {
            tlog_parent(&path->hashes[used], old_root, old_root);
            tlog_parent(&path->hashes[used], root, root);
        } else {
            tlog_parent(root, &path->hashes[used], root);
        }
        used++;
    }
    return used == path->count ? ERR_OK : err_set(ERR_CORRUPT, "the proof is too long");
}

enum err tlog_check_consistency(int64_t old_size, const struct tlog_hash *old_root, int64_t size,
                                const struct tlog_hash *root, const struct tlog_path *path)
{
    struct tlog_hash was, is;
    int64_t at = old_size - 1, last = size - 1;
    size_t used = 0;
    enum err e;

    if (old_size < 1 || old_size > size)
        return err_set(ERR_CORRUPT, "a log of %" PRId64 " leaves against one of %" PRId64, old_size, size);
    if (old_size == size && path->count > 0)
        return err_set(ERR_CORRUPT, "the proof is too long");
    if (old_size == size)
        return memcmp(old_root->bytes, root->bytes, TLOG_HASH_BYTES) == 0
                   ? ERR_OK
                   : err_set(ERR_CORRUPT, "one size, and two roots");
    for (; at & 1; at >>= 1)
        last >>= 1; /* up to the root of the last whole subtree of the old log */
    if (at == 0) {
        was = *old_root; /* that subtree is all of it */
    } else if (path->count == 0) {
        return err_set(ERR_CORRUPT, "the proof is too short");
    } else {
        was = path->hashes[used++];
    }
    is = was;
    if ((e = climb(at, last, path, used, &was, &is)))
        return e;
    if (memcmp(was.bytes, old_root->bytes, TLOG_HASH_BYTES) != 0)
        return err_set(ERR_CORRUPT, "the proof leads to another old root");
    if (memcmp(is.bytes, root->bytes, TLOG_HASH_BYTES) != 0)
        return err_set(ERR_CORRUPT, "the proof leads to another root");
    return ERR_OK;
}
