/* Series of places for maps: GPX 1.1 and GeoJSON (RFC 7946). */
#include "pds/portable/export_internal.h"

#include "pds/portable/sheet.h"

#include <string.h>

enum { GAP_S = 1800 }; /* a silence after which a new segment begins */

struct track {
    int latitude, longitude, altitude, accuracy; /* places of the values; -1 */
    int64_t last_at;
    bool begun;
};

static struct track track_of(const struct dataset *d)
{
    return (struct track){.latitude = dataset_value(d, "latitude"),
                          .longitude = dataset_value(d, "longitude"),
                          .altitude = dataset_value(d, "altitude"),
                          .accuracy = dataset_value(d, "accuracy")};
}

static bool has(const struct record *r, int i) { return i >= 0 && (r->present & (1U << i)); }

static void put(struct export *x, const struct export_series *s, const struct record *r, int i)
{
    record_value_text(&x->piece, r->values[i], s->dataset->values[i].denominator);
}

static enum err gpx_point(struct export *x, const struct export_series *s, const struct export_row *row,
                          void *context)
{
    struct track *t = context;
    const struct record *r = &row->record;
    struct buf *out = &x->piece;

    if (!has(r, t->latitude) || !has(r, t->longitude))
        return ERR_OK;
    if (t->begun && r->start_at - t->last_at > GAP_S)
        buf_text(out, "</trkseg><trkseg>\n");
    t->begun = true;
    t->last_at = r->start_at;
    buf_text(out, "<trkpt lat=\"");
    put(x, s, r, t->latitude);
    buf_text(out, "\" lon=\"");
    put(x, s, r, t->longitude);
    buf_text(out, "\">");
    if (has(r, t->altitude)) {
        buf_text(out, "<ele>");
        put(x, s, r, t->altitude);
        buf_text(out, "</ele>");
    }
    buf_text(out, "<time>");
    sheet_instant(out, r->start_at);
    buf_text(out, "</time></trkpt>\n");
    return export_flow(x);
}

enum err export_write_gpx(struct export *x, const struct export_part *part)
{
    struct track t = track_of(part->series->dataset);
    enum err e;

    buf_printf(&x->piece,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<gpx version=\"1.1\" creator=\"traboule\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n"
               "<trk><name>%s</name><trkseg>\n",
               part->series->stem);
    if ((e = export_each_record(x, part->series, gpx_point, &t)))
        return e;
    buf_text(&x->piece, "</trkseg></trk></gpx>\n");
    return export_flow(x);
}

static enum err geojson_point(struct export *x, const struct export_series *s, const struct export_row *row,
                              void *context)
{
    struct track *t = context;
    const struct record *r = &row->record;
    struct buf *out = &x->piece;

    if (!has(r, t->latitude) || !has(r, t->longitude))
        return ERR_OK;
    buf_text(out, t->begun ? ",\n" : "");
    t->begun = true;
    buf_text(out, "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[");
    put(x, s, r, t->longitude);
    buf_char(out, ',');
    put(x, s, r, t->latitude);
    if (has(r, t->altitude)) {
        buf_char(out, ',');
        put(x, s, r, t->altitude);
    }
    buf_text(out, "]},\"properties\":{\"time\":\"");
    sheet_instant(out, r->start_at);
    buf_char(out, '"');
    if (has(r, t->accuracy)) {
        buf_text(out, ",\"accuracy\":");
        put(x, s, r, t->accuracy);
    }
    buf_printf(out, ",\"quality\":\"%s\"}}", record_quality_name(r->quality));
    return export_flow(x);
}

enum err export_write_geojson(struct export *x, const struct export_part *part)
{
    struct track t = track_of(part->series->dataset);
    enum err e;

    buf_text(&x->piece, "{\"type\":\"FeatureCollection\",\"features\":[\n");
    if ((e = export_each_record(x, part->series, geojson_point, &t)))
        return e;
    buf_text(&x->piece, "\n]}\n");
    return export_flow(x);
}
