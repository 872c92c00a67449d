#include "connectors/files/enedis_label.h"

#include <stddef.h>

enum { DATE_CHARS = 10, YEAR_MIN = 1990, YEAR_MAX = 2100 };

static const char NOT_A_TIME[] = "the time cannot be read";
static const char NO_SUCH_YEAR[] = "the year is not between 1990 and 2100";

static bool has_offset(struct str s)
{
    char c;

    if (s.len <= DATE_CHARS)
        return false;
    c = s.ptr[s.len - 1];
    if (c == 'Z' || c == 'z')
        return true;
    if (s.len < DATE_CHARS + 6)
        return false;
    c = s.ptr[s.len - 6];
    return c == '+' || c == '-';
}

static bool is_in_range(int64_t at)
{
    return at >= clock_days(YEAR_MIN, 1, 1) * 86400 && at < clock_days(YEAR_MAX + 1, 1, 1) * 86400;
}

/* Which of the two instants of a time that comes twice: the nearest that keeps the order of the lines. */
static int64_t place_twice(struct enedis_clock *c, const struct zone *z, const struct civil *written,
                           int64_t line)
{
    int64_t first = zone_instant(z, written, 0), second = zone_instant(z, written, 1);
    bool is_first = c->backwards ? c->any && second >= c->last_at : !c->any || first > c->last_at;

    c->in_twice = true;
    c->twice_first |= is_first;
    c->twice_second |= !is_first;
    c->twice_line = line;
    return is_first ? first : second;
}

static const char *place(struct enedis_clock *c, const struct zone *z, const struct civil *written,
                         int64_t line, int64_t *at)
{
    int64_t local = clock_instant(written);

    switch (zone_kind(z, written)) {
    case ZONE_NEVER:
        return "the time falls in the hour that the spring change leaves out";
    case ZONE_TWICE:
        *at = place_twice(c, z, written, line);
        break;
    case ZONE_ONCE:
        if (c->any && local != c->last_written)
            c->backwards = local < c->last_written;
        c->in_twice = false;
        *at = zone_instant(z, written, 0);
        break;
    }
    c->last_written = local;
    c->last_at = *at;
    c->any = true;
    return NULL;
}

const char *enedis_label_read(struct enedis_clock *c, const struct zone *z, struct str text, int64_t line,
                              int64_t *at)
{
    struct civil written;
    const char *flaw;
    int64_t instant = 0;

    text = str_trim(text);
    if (has_offset(text)) {
        if (clock_parse(text, &instant, NULL))
            return NOT_A_TIME;
    } else if (text.len <= DATE_CHARS || clock_parse_local(text, &written)) {
        return NOT_A_TIME;
    } else if (written.year < YEAR_MIN || written.year > YEAR_MAX) {
        return NO_SUCH_YEAR;
    } else if ((flaw = place(c, z, &written, line, &instant))) {
        return flaw;
    }
    if (!is_in_range(instant))
        return NO_SUCH_YEAR;
    *at = instant;
    return NULL;
}

int64_t enedis_label_doubt(struct enedis_clock *c, bool over)
{
    int64_t line = c->twice_line;
    bool both = c->twice_first && c->twice_second;

    /* While labels are still in that hour, the other half may follow. */
    if (line == 0 || (!over && c->in_twice))
        return 0;
    c->twice_line = 0;
    c->twice_first = c->twice_second = false;
    return both ? 0 : line;
}

const char *enedis_label_date(const struct zone *z, struct str text, int64_t *at)
{
    struct civil day, time;
    int64_t ignored;

    text = str_trim(text);
    if (text.len < DATE_CHARS || clock_parse_local((struct str){text.ptr, DATE_CHARS}, &day))
        return NOT_A_TIME;
    if (has_offset(text) ? clock_parse(text, &ignored, NULL) : clock_parse_local(text, &time))
        return NOT_A_TIME;
    if (day.year < YEAR_MIN || day.year > YEAR_MAX)
        return NO_SUCH_YEAR;
    *at = zone_instant(z, &day, 0);
    return NULL;
}
