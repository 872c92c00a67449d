#include "demo/enedis_file.h"

#include "pds/base/clock.h"
#include "pds/base/zone.h"

#include <stdio.h>

enum { DAY_S = 86400, HALF_HOUR_S = 1800, SUPPLIER_REGISTERS = 10, DISTRIBUTOR_REGISTERS = 4 };

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* What the portal says of each tariff. The identifier of an off-peak calendar was seen in no real file: this
 * one stands for it. */
static const struct calendar {
    const char *id, *label;
} CALENDARS[] = {
    [TARIFF_BASE] = {"FC000165", "Base"},
    [TARIFF_OFF_PEAK] = {"AA000000", "Heures Pleines / Heures Creuses"},
    [TARIFF_TEMPO] = {"FC000050", "6 cadrans"},
};

static void write_instant(struct buf *out, int64_t instant)
{
    int offset = zone_offset(zone_paris(), instant);
    struct civil c;

    zone_local(zone_paris(), instant, &c);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d+%02d:%02d", c.year, c.month, c.day, c.hour, c.minute,
               c.second, offset / 3600, offset / 60 % 60);
}

static void write_date(struct buf *out, int64_t day)
{
    struct civil c;

    clock_civil(day * DAY_S, &c);
    buf_printf(out, "%02d/%02d/%04d", c.day, c.month, c.year);
}

static void write_head(struct buf *out, const struct meter *m, enum enedis_kind kind, int64_t from_day,
                       int64_t to_day)
{
    int curve = kind == ENEDIS_HALF_HOURS;

    buf_text(out,
             BYTE_ORDER_MARK "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;"
                             "Grandeur metier;Etape metier;Unite");
    buf_text(out, curve ? ";Pas en minutes\n" : "\n");
    buf_printf(out, "%s;%s;", m->persona->meter.prm, curve ? "Courbe de charge" : "Index");
    write_date(out, from_day);
    buf_char(out, ';');
    write_date(out, to_day + 1);
    buf_printf(out, ";Energie active;Consommation;Comptage Brut;%s\n", curve ? "W;" : "Wh");
}

static void write_half_hours(struct meter *m, int64_t from_day, int64_t to_day, struct buf *out)
{
    struct meter_day read;

    buf_text(out, "Horodate;Valeur\n");
    for (int64_t day = from_day; day <= to_day; day++) {
        meter_read(m, day, &read);
        for (size_t i = 0; i < read.half_count; i++) {
            if (read.traces[i] == METER_ABSENT)
                continue;
            write_instant(out, read.start_at + ((int64_t)i + 1) * HALF_HOUR_S);
            if (read.traces[i] == METER_WRITTEN)
                buf_printf(out, ";%d\n", read.watts[i]);
            else
                buf_text(out, ";\n");
        }
    }
}

/* An index that runs on: `day` is the first one not counted yet. */
struct counter {
    struct meter *m;
    int64_t day;
    int64_t register_wh[METER_REGISTERS_MAX];
    int64_t total_wh;
};

static void count_to(struct counter *c, int64_t day)
{
    struct meter_day read;

    for (; c->day < day; c->day++) {
        meter_read(c->m, c->day, &read);
        for (size_t i = 0; i < METER_REGISTERS_MAX; i++)
            c->register_wh[i] += read.register_wh[i];
        c->total_wh += read.total_wh;
    }
}

static void write_index(struct buf *out, const struct counter *c, size_t registers, int64_t instant)
{
    write_instant(out, instant);
    buf_text(out, ";Arrêté quotidien");
    for (size_t i = 0; i < SUPPLIER_REGISTERS; i++) {
        buf_char(out, ';');
        if (i < registers)
            buf_printf(out, "%lld", (long long)c->register_wh[i]);
    }
    buf_printf(out, ";%lld;;;;%lld\n", (long long)c->total_wh,
               (long long)c->total_wh); /* D1 is all there is */
}

static void write_class_names(struct buf *out, const char *kind, int count)
{
    for (int i = 1; i <= count; i++)
        buf_printf(out,
                   ";Identifiant classe temporelle%s %d;Libelle classe temporelle%s %d;"
                   "Cadran classe temporelle%s %d",
                   kind, i, kind, i, kind, i);
}

static void write_calendar(struct buf *out, const struct meter *m, int64_t first_at)
{
    const struct calendar *calendar = &CALENDARS[m->persona->meter.tariff];
    const struct meter_register *rows;
    size_t count = meter_registers(m, &rows);

    buf_text(out, "Periode;Identifiant calendrier fournisseur;Libelle calendrier fournisseur");
    write_class_names(out, "", SUPPLIER_REGISTERS);
    buf_text(out, ";Identifiant calendrier distributeur;Libelle calendrier distributeur");
    write_class_names(out, " distributeur", DISTRIBUTOR_REGISTERS);
    buf_text(out, "\nDu ");
    write_instant(out, first_at);
    buf_printf(out, " au;%s;%s", calendar->id, calendar->label);
    for (size_t i = 0; i < SUPPLIER_REGISTERS; i++)
        buf_printf(out, ";%s;%s;EAS F%zu", i < count ? rows[i].code : "", i < count ? rows[i].label : "",
                   i + 1);
    buf_text(out, ";DI000001;Sans différenciation temporelle;BASE;Base;EAS D1;;;EAS D2;;;EAS D3;;;EAS D4\n");
}

static int64_t midnight(int64_t day)
{
    struct civil date;

    clock_civil(day * DAY_S, &date);
    return zone_instant(zone_paris(), &date, 0);
}

static void write_indexes(struct meter *m, int64_t from_day, int64_t to_day, struct buf *out)
{
    struct counter c = {.m = m, .day = m->persona->meter.since_day};
    const struct meter_register *rows;
    size_t registers = meter_registers(m, &rows);
    int64_t first_at = midnight(from_day);

    buf_text(out, "Horodate;Type de releve;EAS F1;EAS F2;EAS F3;EAS F4;EAS F5;EAS F6;EAS F7;EAS F8;EAS F9;"
                  "EAS F10;EAS D1;EAS D2;EAS D3;EAS D4;EAS T\n");
    for (int64_t at = first_at;; at += DAY_S) {
        int64_t written = (at + zone_offset(zone_paris(), at)) / DAY_S; /* the date that the row shows */

        if (written > to_day + 1)
            break;
        count_to(&c, written);
        write_index(out, &c, registers, at);
    }
    write_calendar(out, m, first_at);
}

enum err enedis_file_write(struct meter *m, enum enedis_kind kind, int64_t from_day, int64_t to_day,
                           struct buf *out)
{
    if (to_day < from_day)
        return err_set(ERR_INVALID, "the last day comes before the first");
    if (from_day < m->persona->meter.since_day)
        return err_set(ERR_INVALID, "the first day comes before the meter's");
    write_head(out, m, kind, from_day, to_day);
    if (kind == ENEDIS_HALF_HOURS)
        write_half_hours(m, from_day, to_day, out);
    else
        write_indexes(m, from_day, to_day, out);
    return buf_err(out);
}

void enedis_file_name(const struct meter *m, enum enedis_kind kind, int64_t from_day, int64_t to_day,
                      char out[static ENEDIS_NAME_BYTES])
{
    struct civil from, to;

    clock_civil(from_day * DAY_S, &from);
    clock_civil((to_day + 1) * DAY_S, &to);
    (void)snprintf(out, ENEDIS_NAME_BYTES, "Enedis_Conso_%s_%04u%02u%02u-%04u%02u%02u_%s.csv",
                   kind == ENEDIS_HALF_HOURS ? "Heure" : "Jour", (unsigned)from.year % 10000U,
                   (unsigned)from.month % 100U, (unsigned)from.day % 100U, (unsigned)to.year % 10000U,
                   (unsigned)to.month % 100U, (unsigned)to.day % 100U, m->persona->meter.prm);
}
