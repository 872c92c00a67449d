/* The texts of a log: verifier keys, checkpoints as signed notes, proofs. */
#include "pds/audit/tlog.h"

#include "pds/base/codec.h"
#include "pds/base/limits.h"
#include "pds/crypto/sha256.h"

#include <inttypes.h>
#include <string.h>

enum {
    KEY_ID_RAW_BYTES = 4,
    TYPE_ED25519 = 1,           /* signed-note: signature types */
    SIGNATURES_MAX = 100,       /* signed-note asks for 16 at least */
    SIGNATURE_BYTES_MAX = 8192, /* those of post-quantum keys of others are long */
    VKEY_RAW_BYTES = 1 + SIGN_PUBLIC_BYTES,
    LINE_BYTES = KEY_ID_RAW_BYTES + SIGN_BYTES,
};

static const struct str DASH = STR_ROW("\xE2\x80\x94 "); /* an em dash and a space begin a signature */
static const struct str PROOF_HEAD = STR_ROW("c2sp.org/tlog-proof@v1");

bool tlog_name_is_valid(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '+')
            return false;
    }
    return name.len > 0 && name.len < TLOG_NAME_BYTES;
}

static void key_id(const struct tlog_verifier *v, uint8_t out[static KEY_ID_RAW_BYTES])
{
    static const uint8_t BETWEEN[] = {'\n', TYPE_ED25519};
    uint8_t hash[SHA256_BYTES];
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, v->name, strlen(v->name));
    sha256_add(&h, BETWEEN, sizeof BETWEEN);
    sha256_add(&h, v->public_key, sizeof v->public_key);
    sha256_end(&h, hash);
    memcpy(out, hash, KEY_ID_RAW_BYTES);
}

void tlog_key_id(const struct tlog_verifier *v, char out[static TLOG_KEY_ID_BYTES])
{
    uint8_t id[KEY_ID_RAW_BYTES];
    struct buf text;

    key_id(v, id);
    buf_over(&text, out, TLOG_KEY_ID_BYTES);
    codec_hex(&text, id, sizeof id); /* fits */
}

void tlog_vkey_write(struct buf *out, const struct tlog_verifier *v)
{
    char id[TLOG_KEY_ID_BYTES];
    uint8_t key[VKEY_RAW_BYTES] = {TYPE_ED25519};

    tlog_key_id(v, id);
    memcpy(key + 1, v->public_key, SIGN_PUBLIC_BYTES);
    buf_printf(out, "%s+%s+", v->name, id);
    codec_base64(out, key, sizeof key);
}

enum err tlog_vkey_read(struct str text, struct tlog_verifier *out)
{
    struct tlog_verifier v = {.name = ""};
    char id[TLOG_KEY_ID_BYTES];
    uint8_t key[VKEY_RAW_BYTES];
    struct str name, hash;
    size_t len;

    if (!str_split(&text, '+', &name) || !str_split(&text, '+', &hash) || !tlog_name_is_valid(name) ||
        codec_unbase64(text, key, sizeof key, &len) || len != sizeof key || key[0] != TYPE_ED25519)
        return err_set(ERR_INVALID, "no verifier key of the form name+hash+key");
    if (str_copy(name, v.name, sizeof v.name))
        return err_set(ERR_INVALID, "verifier key: its name");
    memcpy(v.public_key, key + 1, SIGN_PUBLIC_BYTES);
    tlog_key_id(&v, id);
    if (!str_eq(hash, str_of(id)))
        return err_set(ERR_INVALID, "verifier key: its hash is another key's");
    *out = v;
    return ERR_OK;
}

void tlog_checkpoint_write(struct buf *out, const struct tlog_checkpoint *c, const struct sign_seed *seed)
{
    uint8_t line[LINE_BYTES];
    struct tlog_verifier v = {.name = ""};
    size_t start = out->len;

    memcpy(v.name, c->origin, sizeof v.name);
    sign_public(seed, v.public_key);
    buf_printf(out, "%s\n%" PRId64 "\n", c->origin, c->size);
    codec_base64(out, c->root.bytes, sizeof c->root.bytes);
    buf_char(out, '\n');
    if (out->err)
        return;
    key_id(&v, line);
    sign_make(seed, out->data + start, out->len - start, line + KEY_ID_RAW_BYTES);
    buf_printf(out, "\n%s%s ", DASH.ptr, c->origin);
    codec_base64(out, line, sizeof line);
    buf_char(out, '\n');
}

/* The text of a note and its signatures, which stand behind the last empty line. */
static enum err split_note(struct str note, struct str *text, struct str *signatures)
{
    if (note.len > LIMIT_NOTE_BYTES)
        return err_set(ERR_TOO_LARGE, "a note of %zu bytes", note.len);
    if (!str_is_utf8(note) || !str_ends(note, STR("\n")))
        return err_set(ERR_INVALID, "a note that is not lines of UTF-8");
    for (size_t i = 0; i < note.len; i++) {
        if ((uint8_t)note.ptr[i] < 0x20 && note.ptr[i] != '\n')
            return err_set(ERR_INVALID, "a note with a control character at byte %zu", i);
    }
    for (size_t i = note.len; i >= 2; i--) {
        if (note.ptr[i - 1] == '\n' && note.ptr[i - 2] == '\n') {
            *text = (struct str){note.ptr, i - 1};
            *signatures = (struct str){note.ptr + i, note.len - i};
            return signatures->len ? ERR_OK : err_set(ERR_INVALID, "a note without a signature");
        }
    }
    return err_set(ERR_INVALID, "a note without an empty line before its signatures");
}

/* The line without its end; false when no line is left. */
static bool next_line(struct str *rest, struct str *line)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line = (struct str){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = (struct str){end + 1, rest->len - line->len - 1};
    return true;
}

/* One signature line. *ours when it is of v, and holds. */
static enum err check_signature(struct str line, struct str text, const struct tlog_verifier *v, bool *ours)
{
    uint8_t id[KEY_ID_RAW_BYTES], raw[SIGNATURE_BYTES_MAX];
    struct str name, rest = {line.ptr + DASH.len, line.len - DASH.len};
    size_t len;

    if (!str_starts(line, DASH) || !str_split(&rest, ' ', &name) || name.len == 0 || rest.len == 0 ||
        codec_unbase64(rest, raw, sizeof raw, &len) || len <= KEY_ID_RAW_BYTES)
        return err_set(ERR_INVALID, "a signature line of another form");
    if (!v || !str_eq(name, str_of(v->name)))
        return ERR_OK;
    key_id(v, id);
    if (memcmp(id, raw, sizeof id) != 0)
        return ERR_OK; /* of another key of that name: an older one */
    if (len != LINE_BYTES || !sign_is_valid(v->public_key, text.ptr, text.len, raw + KEY_ID_RAW_BYTES))
        return err_set(ERR_CORRUPT, "the signature of the checkpoint does not hold");
    *ours = true;
    return ERR_OK;
}

static enum err check_signatures(struct str text, struct str signatures, const struct tlog_verifier *v)
{
    bool ours = false;
    struct str line;
    enum err e;

    for (int count = 0; next_line(&signatures, &line); count++) {
        if (count == SIGNATURES_MAX)
            return err_set(ERR_TOO_LARGE, "more than %d signatures", SIGNATURES_MAX);
        if ((e = check_signature(line, text, v, &ours)))
            return e;
    }
    return !v || ours ? ERR_OK : err_set(ERR_CORRUPT, "the checkpoint has no signature of that key");
}

/* "0", "17": no sign, no zero in front. */
static bool read_count(struct str text, int64_t *out)
{
    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    return !str_int64(text, out);
}

static bool read_hash(struct str text, struct tlog_hash *out)
{
    size_t len;

    return !codec_unbase64(text, out->bytes, sizeof out->bytes, &len) && len == sizeof out->bytes;
}

static enum err read_text(struct str text, struct tlog_checkpoint *out)
{
    struct str line;

    if (!next_line(&text, &line) || !tlog_name_is_valid(line) ||
        str_copy(line, out->origin, sizeof out->origin))
        return err_set(ERR_INVALID, "checkpoint: its first line names no log");
    if (!next_line(&text, &line) || !read_count(line, &out->size))
        return err_set(ERR_INVALID, "checkpoint: its second line is no size");
    if (!next_line(&text, &line) || !read_hash(line, &out->root))
        return err_set(ERR_INVALID, "checkpoint: its third line is no hash");
    while (next_line(&text, &line)) {
        if (line.len == 0)
            return err_set(ERR_INVALID, "checkpoint: an empty line");
    }
    return ERR_OK;
}

enum err tlog_checkpoint_read(struct str note, const struct tlog_verifier *v, struct tlog_checkpoint *out)
{
    struct tlog_checkpoint c;
    struct str text, signatures;
    enum err e;

    if ((e = split_note(note, &text, &signatures)) || (e = read_text(text, &c)) ||
        (e = check_signatures(text, signatures, v)))
        return e;
    *out = c;
    return ERR_OK;
}

void tlog_proof_write(struct buf *out, const struct tlog_proof *p)
{
    buf_printf(out, "%s\n", PROOF_HEAD.ptr);
    if (p->extra.len) {
        buf_text(out, "extra ");
        buf_add(out, p->extra.ptr, p->extra.len);
        buf_char(out, '\n');
    }
    buf_printf(out, "index %" PRId64 "\n", p->index);
    for (size_t i = 0; i < p->path.count; i++) {
        codec_base64(out, p->path.hashes[i].bytes, TLOG_HASH_BYTES);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    buf_add(out, p->note.ptr, p->note.len);
}

/* The line must begin so: what stands behind. */
static bool take_word(struct str line, struct str word, struct str *out)
{
    if (!str_starts(line, word))
        return false;
    *out = (struct str){line.ptr + word.len, line.len - word.len};
    return true;
}

static enum err read_path(struct str *text, struct tlog_path *path)
{
    struct str line;

    for (path->count = 0; next_line(text, &line); path->count++) {
        if (line.len == 0)
            return ERR_OK;
        if (path->count == TLOG_DEPTH_MAX)
            return err_set(ERR_TOO_LARGE, "proof: more than %d hashes", TLOG_DEPTH_MAX);
        if (!read_hash(line, &path->hashes[path->count]))
            return err_set(ERR_INVALID, "proof: hash %zu", path->count + 1);
    }
    return err_set(ERR_INVALID, "proof: no empty line before its checkpoint");
}

enum err tlog_proof_read(struct str text, struct tlog_proof *out)
{
    struct tlog_proof p = {.index = 0};
    struct tlog_checkpoint c;
    struct str line, number;
    enum err e;

    if (text.len > LIMIT_PROOF_BYTES)
        return err_set(ERR_TOO_LARGE, "a proof of %zu bytes", text.len);
    if (!next_line(&text, &line) || !str_eq(line, PROOF_HEAD) || !next_line(&text, &line))
        return err_set(ERR_INVALID, "proof: its first line");
    if (take_word(line, STR("extra "), &p.extra) && (p.extra.len == 0 || !next_line(&text, &line)))
        return err_set(ERR_INVALID, "proof: its extra data");
    if (!take_word(line, STR("index "), &number) || !read_count(number, &p.index))
        return err_set(ERR_INVALID, "proof: its index");
    if ((e = read_path(&text, &p.path)) || (e = tlog_checkpoint_read(text, NULL, &c)))
        return e;
    p.note = text;
    *out = p;
    return ERR_OK;
}
