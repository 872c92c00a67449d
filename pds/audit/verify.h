/* Verifying a file of ours offline, with nothing but a public key: `traboule verify`. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H
#include "pds/base/err.h"
#include "pds/base/json.h"
#include "pds/base/str.h"

/* What a file is, found by its first bytes: a tlog-proof, a checkpoint, or the answer of `trail --json`
 * (whole: its leaves give the checkpoint's root; lines with salt match their leaf). keys is a JWKS, a vkey,
 * or empty: then the key that the file itself names is used and the answer says so.
 * {"kind","ok","origin","size","entries","erased","key","trusted_key","problems":[{"where","what"}]}.
 * "erased": how many lines are there by their hash alone, which says that something was there and nothing
 * more: whoever hands on a file can make any line such a one. ERR_CORRUPT when something does not hold: *out
 * is set all the same. ERR_UNSUPPORTED for another kind of file. */
MUST_CHECK enum err verify_file(struct str text, struct str keys, json_t **out);
#endif
