/* What somebody hands over to be verified: trails, checkpoints, proofs. What is read as a proof or a
 * checkpoint must be written as the same bytes again. */
#include "pds/audit/tlog.h"
#include "pds/audit/verify.h"
#include "pds/base/auto.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/crypto/random.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char VKEY[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void start_once(void)
{
    static bool started;

    if (started)
        return;
    must(random_start() == ERR_OK);
    json_start();
    started = true;
}

static void read_as_proof(struct str text)
{
    struct tlog_proof proof;
    struct tlog_checkpoint c;
    AUTO(buf_done) struct buf again;

    buf_init(&again, LIMIT_PROOF_BYTES);
    if (tlog_proof_read(text, &proof))
        return;
    tlog_proof_write(&again, &proof);
    must(!again.err && again.len == text.len && memcmp(again.data, text.ptr, text.len) == 0);
    must(tlog_checkpoint_read(proof.note, NULL, &c) == ERR_OK);
    must(proof.path.count <= TLOG_DEPTH_MAX && proof.index >= 0);
}

static void read_as_checkpoint(struct str text)
{
    struct tlog_verifier v;
    struct tlog_checkpoint c;

    must(tlog_vkey_read(str_of(VKEY), &v) == ERR_OK);
    if (tlog_checkpoint_read(text, NULL, &c))
        must(tlog_checkpoint_read(text, &v, &c) != ERR_OK);
    else
        must(tlog_name_is_valid(str_of(c.origin)) && c.size >= 0);
}

static void read_as_key(struct str text)
{
    struct tlog_verifier v;
    AUTO(buf_done) struct buf again;

    buf_init(&again, 1024);
    if (tlog_vkey_read(text, &v))
        return;
    tlog_vkey_write(&again, &v);
    must(again.len == text.len && memcmp(again.data, text.ptr, text.len) == 0);
}

static void verify(struct str text, struct str keys)
{
    AUTO(json_freep) json_t *report = NULL;
    enum err e = verify_file(text, keys, &report);
    bool told = e == ERR_OK || e == ERR_CORRUPT;

    must(told == (report != NULL));
    must(told || e == ERR_UNSUPPORTED || e == ERR_INVALID);
    must(!told || (e == ERR_OK) == json_is_true(json_object_get(report, "ok")));
    must(!told || (e == ERR_OK) == (json_array_size(json_object_get(report, "problems")) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size ? (const char *)data : "", size};

    start_once();
    read_as_proof(text);
    read_as_checkpoint(text);
    read_as_key(text);
    verify(text, STR(""));
    verify(text, str_of(VKEY));
    verify(str_of("a\n0\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xE2\x80\x94 a AAAAAAA=\n"), text);
    return 0;
}
