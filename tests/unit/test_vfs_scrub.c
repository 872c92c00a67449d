/* The gap of a page of a b-tree is emptied, and nothing else of any page. */
#include "tests/harness/test.h"

#include "pds/vault/vfs_internal.h"

#include <string.h>

static void fill(uint8_t page[static PAGE_BYTES], uint8_t kind, uint32_t number, unsigned cells,
                 unsigned start)
{
    uint8_t *head = page + (number == 1 ? 100 : 0);

    memset(page, 'x', PAGE_PLAIN_BYTES);
    memset(page + PAGE_PLAIN_BYTES, 0, SEAL_EXTRA_BYTES);
    head[0] = kind;
    head[3] = (uint8_t)(cells >> 8);
    head[4] = (uint8_t)cells;
    head[5] = (uint8_t)(start >> 8);
    head[6] = (uint8_t)start;
}

static void gaps_are_emptied(void **state)
{
    static const struct {
        const char *name;
        uint8_t kind;
        uint32_t number, pages;
        unsigned cells, start;
        size_t from, to; /* equal: left alone */
    } ROWS[] = {
        {"leaf of a table", 13, 2, 9, 10, 3000, 28, 3000},
        {"leaf of an index", 10, 2, 9, 0, 4056, 8, 4056},
        {"inner page of a table", 5, 2, 9, 3, 100, 18, 100},
        {"inner page of an index", 2, 2, 9, 3, 100, 18, 100},
        {"page 1", 13, 1, 9, 4, 2000, 116, 2000},
        {"no gap", 13, 2, 9, 10, 28, 0, 0},
        {"cells before the pointers' end: damage, which others tell", 13, 2, 9, 10, 20, 0, 0},
        {"cells past the page", 13, 2, 9, 1, 4057, 0, 0},
        {"no cell area: 65536", 13, 2, 9, 1, 0, 0, 0},
        {"a free or overflow page", 0, 2, 9, 1, 100, 0, 0},
        {"another kind", 7, 2, 9, 1, 100, 0, 0},
        {"so many pages that a number may look like a kind", 13, 2, 0x02000000, 10, 3000, 0, 0},
    };
    uint8_t page[PAGE_BYTES], out[PAGE_BYTES], wanted[PAGE_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        fill(page, ROWS[i].kind, ROWS[i].number, ROWS[i].cells, ROWS[i].start);
        memcpy(wanted, page, PAGE_BYTES);
        memset(wanted + ROWS[i].from, 0, ROWS[i].to - ROWS[i].from);
        memset(out, 'o', PAGE_BYTES);
        assert_row(ROWS[i].name,
                   vfs_scrub(page, ROWS[i].number, ROWS[i].pages, out) == (ROWS[i].to > ROWS[i].from));
        if (ROWS[i].to > ROWS[i].from)
            assert_row(ROWS[i].name, memcmp(out, wanted, PAGE_BYTES) == 0);
        else
            assert_row(ROWS[i].name, out[0] == 'o');
    }
}

static void a_clean_page_is_left_alone(void **state)
{
    uint8_t page[PAGE_BYTES], out[PAGE_BYTES];

    (void)state;
    fill(page, 13, 2, 10, 3000);
    assert_true(vfs_scrub(page, 2, 9, out));
    assert_false(vfs_scrub(out, 2, 9, page));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_are_emptied),
        cmocka_unit_test(a_clean_page_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
