#include "pds/crypto/keyring.h"

#include <sodium.h>

enum { CONTEXT_CHARS = crypto_kdf_CONTEXTBYTES };
_Static_assert(crypto_kdf_KEYBYTES == KEY_BYTES, "the store key derives");

/* A released row never changes: what it derived would be lost (docs/keys.md). */
struct purpose {
    char context[CONTEXT_CHARS + 1];
    uint64_t number;
};
static const struct purpose PAGE = {"TRBLpage", 1};
static const struct purpose ANCHOR = {"TRBLanch", 2};
static const struct purpose VALUE = {"TRBLvalu", 3};

static void derive(const struct store_key *root, const struct purpose *p, uint8_t out[static KEY_BYTES])
{
    /* Fails only for a length that BLAKE2b does not know. */
    (void)crypto_kdf_derive_from_key(out, KEY_BYTES, p->number, p->context, root->bytes);
}

void keyring_page(const struct store_key *root, struct page_key *out) { derive(root, &PAGE, out->bytes); }
void keyring_anchor(const struct store_key *root, struct anchor_key *out)
{
    derive(root, &ANCHOR, out->bytes);
}
void keyring_value(const struct store_key *root, struct value_key *out) { derive(root, &VALUE, out->bytes); }
