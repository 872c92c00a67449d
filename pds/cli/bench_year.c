#include "pds/cli/bench_year.h"

#include "pds/base/clock.h"
#include "pds/base/zone.h"

#include <inttypes.h>
#include <string.h>

enum { HALF_HOUR_S = 1800 };

int64_t bench_year_csv(int year, struct buf *out)
{
    const struct zone *paris = zone_paris();
    struct civil first = {year, 1, 1, 0, 0, 0}, last = {year + 1, 1, 1, 0, 0, 0}, c;
    int64_t end = zone_instant(paris, &last, 0), count = 0;

    buf_text(out, "\xef\xbb\xbfIdentifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;"
                  "Grandeur metier;Etape metier;Unite;Pas en minutes\n");
    buf_printf(
        out,
        "01234567890123;Courbe de charge;01/01/%d;01/01/%d;Energie active;Consommation;Comptage Brut;W;\n",
        year, year + 1);
    buf_text(out, "Horodate;Valeur\n");
    for (int64_t at = zone_instant(paris, &first, 0) + HALF_HOUR_S; at <= end; at += HALF_HOUR_S, count++) {
        int offset_h = zone_offset(paris, at) / 3600;

        zone_local(paris, at, &c);
        buf_printf(out, "%04d-%02d-%02dT%02d:%02d:00+0%d:00;%" PRId64 "\n", c.year, c.month, c.day, c.hour,
                   c.minute, offset_h, 200 + (at / HALF_HOUR_S * 7919) % 2400);
    }
    return count;
}

enum err bench_text_read(void *context, void *out, size_t size, size_t *got)
{
    struct bench_text *t = context;
    size_t left = t->text->len - t->read;

    *got = left < size ? left : size;
    memcpy(out, t->text->data + t->read, *got);
    t->read += *got;
    return ERR_OK;
}
