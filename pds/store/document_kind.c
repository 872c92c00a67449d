/* The kinds of document, and the rules of what is told of one. */
#include "pds/store/document.h"

#include "pds/base/clock.h"

/* Reminders leave the time that getting a new one takes in France: months for an identity card, weeks for a
 * certificate. */
const struct document_kind DOCUMENT_KINDS[] = {
    {"identity-card", "carte d’identité", "identity card", 90},
    {"passport", "passeport", "passport", 120},
    {"residence-permit", "titre de séjour", "residence permit", 120},
    {"driving-licence", "permis de conduire", "driving licence", 60},
    {"health-card", "carte Vitale ou de mutuelle", "health card", 30},
    {"family-record-book", "livret de famille", "family record book", 0},
    {"civil-status", "acte d’état civil", "civil status record", 0},
    {"vehicle-registration", "carte grise", "vehicle registration", 30},
    {"tax-notice", "avis d’impôt", "tax notice", 0},
    {"energy-bill", "facture d’énergie", "energy bill", 0},
    {"water-bill", "facture d’eau", "water bill", 0},
    {"phone-bill", "facture de téléphone", "phone bill", 0},
    {"rent-receipt", "quittance de loyer", "rent receipt", 0},
    {"lease", "bail", "lease", 180},
    {"payslip", "bulletin de paie", "payslip", 0},
    {"bank-details", "relevé d’identité bancaire", "bank details", 0},
    {"insurance-certificate", "attestation d’assurance", "insurance certificate", 30},
    {"diploma", "diplôme", "diploma", 0},
    {"certificate", "attestation", "certificate", 30},
    {"other", "autre", "other", 30},
    {0},
};

enum err document_kind_find(struct str name, const struct document_kind **out)
{
    for (const struct document_kind *k = DOCUMENT_KINDS; k->name; k++) {
        if (str_eq(name, str_of(k->name))) {
            *out = k;
            return ERR_OK;
        }
    }
    return err_set(ERR_INVALID, "kind is none of the list");
}

/* Text in UTF-8 without control characters; a note may have lines. */
static enum err check_text(const char *what, struct str text, size_t max, bool lines)
{
    if (text.len > max)
        return err_set(ERR_INVALID, "%s has more than %zu bytes", what, max);
    if (!str_is_utf8(text))
        return err_set(ERR_INVALID, "%s is not UTF-8", what);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool second = c == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0; /* U+0080 to U+009F */

        if ((c < 0x20 && !(lines && (c == '\n' || c == '\r' || c == '\t'))) || c == 0x7f || second)
            return err_set(ERR_INVALID, "%s has a control character at byte %zu", what, i);
    }
    return ERR_OK;
}

static enum err check_day(const char *what, struct str day)
{
    struct civil c;

    if (day.len == 0)
        return ERR_OK;
    if (day.len != 10 || clock_parse_local(day, &c))
        return err_set(ERR_INVALID, "%s is no day such as 2024-05-01", what);
    return ERR_OK;
}

static enum err check_tags(const struct document_facts *f)
{
    enum err e;

    if (!f->has_tags)
        return ERR_OK;
    if (f->tag_count > DOCUMENT_TAGS_MAX)
        return err_set(ERR_INVALID, "more than %d tags", DOCUMENT_TAGS_MAX);
    for (size_t i = 0; i < f->tag_count; i++) {
        if (str_trim(f->tags[i]).len == 0)
            return err_set(ERR_INVALID, "tag %zu is empty", i + 1);
        if ((e = check_text("a tag", f->tags[i], DOCUMENT_TEXT_BYTES, false)))
            return e;
    }
    return ERR_OK;
}

enum err document_facts_check(const struct document_facts *f)
{
    const struct document_kind *kind;
    enum err e;

    if ((f->kind.ptr && (e = document_kind_find(f->kind, &kind))) ||
        (e = check_text("title", f->title, DOCUMENT_TEXT_BYTES, false)) ||
        (e = check_text("number", f->reference, DOCUMENT_TEXT_BYTES, false)) ||
        (e = check_text("issuer", f->issuer, DOCUMENT_TEXT_BYTES, false)) ||
        (e = check_text("note", f->note, DOCUMENT_NOTE_BYTES, true)) ||
        (e = check_day("issued", f->issued_on)) || (e = check_day("expires", f->expires_on)) ||
        (e = check_tags(f)))
        return e;
    if (f->title.ptr && str_trim(f->title).len == 0)
        return err_set(ERR_INVALID, "title is empty");
    if (f->remind_days < -1 || f->remind_days > DOCUMENT_REMIND_MAX)
        return err_set(ERR_INVALID, "remind_days is not from 0 to %d", DOCUMENT_REMIND_MAX);
    return ERR_OK;
}
