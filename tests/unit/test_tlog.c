#include "tests/harness/test.h"

#include "pds/audit/tlog.h"
#include "pds/base/codec.h"

#include <string.h>

enum { MOST = 33 };

/* Leaves of a log, and the definitions of RFC 6962 2.1 written down as they stand. */
static struct tlog_hash leaves[MOST];

static void naive_root(int64_t first, int64_t size, struct tlog_hash *out)
{
    struct tlog_hash left, right;
    int64_t k = 1;

    if (size == 1) {
        *out = leaves[first];
        return;
    }
    while (k * 2 < size)
        k *= 2;
    naive_root(first, k, &left);
    naive_root(first + k, size - k, &right);
    tlog_parent(&left, &right, out);
}

static void naive_inclusion(int64_t first, int64_t size, int64_t index, struct tlog_path *path)
{
    int64_t k = 1;

    if (size == 1)
        return;
    while (k * 2 < size)
        k *= 2;
    if (index < k) {
        naive_inclusion(first, k, index, path);
        naive_root(first + k, size - k, &path->hashes[path->count++]);
    } else {
        naive_inclusion(first + k, size - k, index - k, path);
        naive_root(first, k, &path->hashes[path->count++]);
    }
}

static void naive_consistency(int64_t first, int64_t size, int64_t old, bool whole, struct tlog_path *path)
{
    int64_t k = 1;

    if (old == size) {
        if (!whole)
            naive_root(first, size, &path->hashes[path->count++]);
        return;
    }
    while (k * 2 < size)
        k *= 2;
    if (old <= k) {
        naive_consistency(first, k, old, whole, path);
        naive_root(first + k, size - k, &path->hashes[path->count++]);
    } else {
        naive_consistency(first + k, size - k, old - k, false, path);
        naive_root(first, k, &path->hashes[path->count++]);
    }
}

static enum err node(void *context, unsigned level, int64_t number, struct tlog_hash *out)
{
    (void)context;
    assert_true((number + 1) << level <= MOST);
    naive_root(number << level, INT64_C(1) << level, out);
    return ERR_OK;
}

static enum err no_node(void *context, unsigned level, int64_t number, struct tlog_hash *out)
{
    (void)context;
    (void)level;
    (void)number;
    (void)out;
    return err_set(ERR_CORRUPT, "none");
}

static int make_leaves(void **state)
{
    (void)state;
    for (int i = 0; i < MOST; i++)
        tlog_leaf(&(uint8_t){(uint8_t)i}, 1, &leaves[i]);
    return 0;
}

static bool equal(const struct tlog_path *a, const struct tlog_path *b)
{
    return a->count == b->count && memcmp(a->hashes, b->hashes, a->count * sizeof *a->hashes) == 0;
}

static void unhex(const char *text, void *out, size_t len)
{
    size_t got;

    assert_ok(codec_unhex(str_of(text), out, len, &got));
    assert_int_equal(got, len);
}

/* Leaves and roots that implementations of Certificate Transparency share as their test. */
static void hashes_are_those_that_others_compute(void **state)
{
    static const struct {
        const char *leaf, *root;
    } ROWS[] = {
        {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"606162636465666768696a6b6c6d6e6f",
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct tlog_frontier f = {0};
    struct tlog_hash root, wanted, leaf;
    uint8_t data[16];

    (void)state;
    unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", wanted.bytes, 32);
    tlog_frontier_root(&f, &root);
    assert_memory_equal(root.bytes, wanted.bytes, 32);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        unhex(ROWS[i].leaf, data, strlen(ROWS[i].leaf) / 2);
        tlog_leaf(data, strlen(ROWS[i].leaf) / 2, &leaf);
        tlog_frontier_add(&f, &leaf);
        tlog_frontier_root(&f, &root);
        unhex(ROWS[i].root, wanted.bytes, 32);
        assert_memory_equal(root.bytes, wanted.bytes, 32);
    }
}

static void roots_of_every_size_are_those_of_the_definition(void **state)
{
    struct tlog_frontier f = {0};
    struct tlog_hash root, wanted, kept;

    (void)state;
    for (int64_t size = 1; size <= MOST; size++) {
        tlog_frontier_add(&f, &leaves[size - 1]);
        tlog_frontier_root(&f, &kept);
        assert_ok(tlog_root(size, node, NULL, &root));
        naive_root(0, size, &wanted);
        assert_memory_equal(root.bytes, wanted.bytes, 32);
        assert_memory_equal(kept.bytes, wanted.bytes, 32);
    }
    assert_err(tlog_root(-1, node, NULL, &root), ERR_INVALID);
    assert_err(tlog_root(5, no_node, NULL, &root), ERR_CORRUPT);
}

static void check_inclusion(int64_t index, int64_t size)
{
    struct tlog_path path, wanted = {.count = 0}, bad;
    struct tlog_hash root, other = {{9}};

    naive_root(0, size, &root);
    naive_inclusion(0, size, index, &wanted);
    assert_ok(tlog_inclusion(index, size, node, NULL, &path));
    assert_true(equal(&path, &wanted));
    assert_ok(tlog_check_inclusion(&leaves[index], index, size, &path, &root));

    assert_err(tlog_check_inclusion(&other, index, size, &path, &root), ERR_CORRUPT);
    assert_err(tlog_check_inclusion(&leaves[index], index, size, &path, &other), ERR_CORRUPT);
    assert_err(tlog_check_inclusion(&leaves[index], size, size, &path, &root), ERR_CORRUPT);
    assert_err(tlog_check_inclusion(&leaves[index], -1, size, &path, &root), ERR_CORRUPT);
    for (int64_t at = 0; at < size; at++)
        assert_int_equal(tlog_check_inclusion(&leaves[index], at, size, &path, &root) == ERR_OK, at == index);
    bad = path;
    bad.count++;
    assert_err(tlog_check_inclusion(&leaves[index], index, size, &bad, &root), ERR_CORRUPT);
    for (size_t i = 0; i < path.count; i++) {
        bad = path;
        bad.hashes[i].bytes[31] ^= 1;
        assert_err(tlog_check_inclusion(&leaves[index], index, size, &bad, &root), ERR_CORRUPT);
        bad = path;
        bad.count = i;
        assert_err(tlog_check_inclusion(&leaves[index], index, size, &bad, &root), ERR_CORRUPT);
    }
}

static void every_leaf_of_every_size_is_proved_and_nothing_else(void **state)
{
    struct tlog_path path;

    (void)state;
    for (int64_t size = 1; size <= MOST; size++) {
        for (int64_t index = 0; index < size; index++)
            check_inclusion(index, size);
    }
    assert_err(tlog_inclusion(0, 0, node, NULL, &path), ERR_INVALID);
    assert_err(tlog_inclusion(-1, 3, node, NULL, &path), ERR_INVALID);
    assert_err(tlog_inclusion(3, 3, node, NULL, &path), ERR_INVALID);
    assert_err(tlog_inclusion(1, 3, no_node, NULL, &path), ERR_CORRUPT);
}

static void check_consistency(int64_t old, int64_t size)
{
    struct tlog_path path, wanted = {.count = 0}, bad;
    struct tlog_hash root, old_root, other = {{9}};

    naive_root(0, size, &root);
    naive_root(0, old, &old_root);
    naive_consistency(0, size, old, true, &wanted);
    assert_ok(tlog_consistency(old, size, node, NULL, &path));
    assert_true(equal(&path, &wanted));
    assert_ok(tlog_check_consistency(old, &old_root, size, &root, &path));

    assert_err(tlog_check_consistency(old, &other, size, &root, &path), ERR_CORRUPT);
    assert_err(tlog_check_consistency(old, &old_root, size, &other, &path), ERR_CORRUPT);
    assert_err(tlog_check_consistency(size + 1, &old_root, size, &root, &path), ERR_CORRUPT);
    assert_err(tlog_check_consistency(0, &old_root, size, &root, &path), ERR_CORRUPT);
    bad = path;
    bad.count++;
    assert_err(tlog_check_consistency(old, &old_root, size, &root, &bad), ERR_CORRUPT);
    for (size_t i = 0; i < path.count; i++) {
        bad = path;
        bad.hashes[i].bytes[0] ^= 1;
        assert_err(tlog_check_consistency(old, &old_root, size, &root, &bad), ERR_CORRUPT);
        bad = path;
        bad.count = i;
        assert_err(tlog_check_consistency(old, &old_root, size, &root, &bad), ERR_CORRUPT);
    }
}

static void every_size_goes_on_from_every_smaller_one(void **state)
{
    struct tlog_path path;

    (void)state;
    for (int64_t size = 1; size <= MOST; size++) {
        for (int64_t old = 1; old <= size; old++)
            check_consistency(old, size);
    }
    assert_err(tlog_consistency(0, 4, node, NULL, &path), ERR_INVALID);
    assert_err(tlog_consistency(5, 4, node, NULL, &path), ERR_INVALID);
    assert_err(tlog_consistency(3, 4, no_node, NULL, &path), ERR_CORRUPT);
    assert_err(tlog_consistency(3, 5, no_node, NULL, &path), ERR_CORRUPT);
}

/* A log as long as they can be. */
static void the_longest_proofs_have_room(void **state)
{
    int64_t size = INT64_C(1) << 62, old = size - 1;
    struct tlog_path path;
    struct tlog_hash root;

    (void)state;
    (void)node;
    for (size_t i = 0; i < 2 * TLOG_DEPTH_MAX; i++)
        path.hashes[i] = leaves[0];
    path.count = TLOG_DEPTH_MAX;
    assert_err(tlog_check_inclusion(&leaves[0], size - 1, size, &path, &leaves[1]), ERR_CORRUPT);
    path.count = TLOG_DEPTH_MAX + 1;
    assert_err(tlog_check_consistency(old, &leaves[0], size, &leaves[1], &path), ERR_CORRUPT);
    assert_err(tlog_root(size, no_node, NULL, &root), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_that_others_compute),
        cmocka_unit_test(roots_of_every_size_are_those_of_the_definition),
        cmocka_unit_test(every_leaf_of_every_size_is_proved_and_nothing_else),
        cmocka_unit_test(every_size_goes_on_from_every_smaller_one),
        cmocka_unit_test(the_longest_proofs_have_room),
    };

    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
