#include "pds/base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, ERA_DAYS = 146097 }; /* an era is 400 years */

static atomic_int_least64_t frozen = INT64_MIN;
static atomic_int_least64_t highest_ms = INT64_MIN;
static atomic_int_least64_t running_more_s;

static int64_t read_ms(clockid_t id)
{
    struct timespec t = {0};

    (void)clock_gettime(id, &t); /* cannot fail for these clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* n / by and its remainder, rounded towards minus infinity. */
static int64_t floor_div(int64_t n, int64_t by) { return n / by - (n % by < 0); }
static int64_t floor_mod(int64_t n, int64_t by) { return n % by + (n % by < 0 ? by : 0); }

int64_t clock_now_ms(void)
{
    int64_t at = atomic_load(&frozen), now, highest;

    if (at != INT64_MIN)
        return at * 1000;
    now = read_ms(CLOCK_REALTIME);
    highest = atomic_load(&highest_ms);
    while (now > highest && !atomic_compare_exchange_weak(&highest_ms, &highest, now))
        ; /* another thread was faster: highest is what it wrote */
    return now > highest ? now : highest;
}

int64_t clock_now(void) { return floor_div(clock_now_ms(), 1000); }

int64_t clock_monotonic_ms(void) { return read_ms(CLOCK_MONOTONIC); }

int64_t clock_running_s(void) { return read_ms(CLOCK_BOOTTIME) / 1000 + atomic_load(&running_more_s); }

void clock_set(int64_t now) { atomic_store(&frozen, now); }

void clock_set_running(int64_t more_s) { atomic_store(&running_more_s, more_s); }

/* Days are counted in years that begin in March, so that the leap day is a year's last. */
int64_t clock_days(int year, int month, int day)
{
    int64_t months = (int64_t)year * 12 + month - 3; /* since March of year 0 */
    int64_t y = floor_div(months, 12), m = floor_mod(months, 12);
    int64_t era = floor_div(y, 400), in_era = floor_mod(y, 400);

    return era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t clock_instant(const struct civil *c)
{
    return clock_days(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
}

void clock_civil(int64_t instant, struct civil *out)
{
    int64_t days = floor_div(instant, DAY_S), era = floor_div(days + 719468, ERA_DAYS);
    uint32_t second = (uint32_t)(instant - days * DAY_S);
    uint32_t day = (uint32_t)(days + 719468 - era * ERA_DAYS); /* of the era */
    uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint32_t of_year = day - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* 0 = March */

    out->year = (int)(era * 400 + year + (month >= 10));
    out->month = (int)(month < 10 ? month + 3 : month - 9);
    out->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    out->hour = (int)(second / 3600);
    out->minute = (int)(second / 60 % 60);
    out->second = (int)(second % 60);
}

int clock_weekday(int64_t days) { return (int)floor_mod(days + 3, 7); } /* 1970-01-01 was a Thursday */

static void put_pair(char *at, int n)
{
    static const char PAIRS[256] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";

    memcpy(at, PAIRS + ((unsigned)n & 127) * 2, 2); /* within the table, whatever n is */
}

void clock_text(int64_t instant, char out[static CLOCK_TEXT_BYTES])
{
    struct civil c;

    assert(instant >= CLOCK_TEXT_MIN && instant <= CLOCK_TEXT_MAX);
    clock_civil(instant, &c);
    memcpy(out, "0000-00-00T00:00:00Z", CLOCK_TEXT_BYTES);
    put_pair(out, c.year / 100);
    put_pair(out + 2, c.year % 100);
    put_pair(out + 5, c.month);
    put_pair(out + 8, c.day);
    put_pair(out + 11, c.hour);
    put_pair(out + 14, c.minute);
    put_pair(out + 17, c.second);
}

/* Exactly count digits off the front of s, not past max; false leaves s as it is. */
static bool take_number(struct str *s, size_t count, int max, int *out)
{
    int n = 0;

    if (s->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        n = n * 10 + (s->ptr[i] - '0');
    }
    if (n > max)
        return false;
    *out = n;
    *s = (struct str){s->ptr + count, s->len - count};
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = (struct str){s->ptr + 1, s->len - 1};
    return true;
}

static bool take_date(struct str *s, struct civil *c)
{
    if (!take_number(s, 4, 9999, &c->year) || !take_char(s, '-') || !take_number(s, 2, 12, &c->month) ||
        !take_char(s, '-') || !take_number(s, 2, 31, &c->day))
        return false;
    return c->month > 0 && c->day > 0 &&
           c->day <= clock_days(c->year, c->month + 1, 1) - clock_days(c->year, c->month, 1);
}

static bool take_minutes(struct str *s, int *hour, int *minute)
{
    return take_number(s, 2, 23, hour) && take_char(s, ':') && take_number(s, 2, 59, minute);
}

static bool take_separator(struct str *s)
{
    return take_char(s, 'T') || take_char(s, 't') || take_char(s, ' ');
}

/* A fraction of a second, dropped; false when a point stands without a digit. */
static bool skip_fraction(struct str *s)
{
    int digit;

    if (!take_char(s, '.'))
        return true;
    if (!take_number(s, 1, 9, &digit))
        return false;
    while (take_number(s, 1, 9, &digit))
        ;
    return true;
}

static bool take_offset(struct str *s, int *offset)
{
    int hour, minute;
    bool west = s->len && s->ptr[0] == '-';

    *offset = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    if (!(take_char(s, '+') || take_char(s, '-')) || !take_minutes(s, &hour, &minute))
        return false;
    *offset = (west ? -60 : 60) * (hour * 60 + minute);
    return true;
}

enum err clock_parse(struct str text, int64_t *instant, int *offset_s)
{
    struct str s = text;
    struct civil c = {0};
    int64_t at;
    int offset;

    if (!take_date(&s, &c) || !take_separator(&s) || !take_minutes(&s, &c.hour, &c.minute) ||
        !take_char(&s, ':') || !take_number(&s, 2, 59, &c.second) || !skip_fraction(&s) ||
        !take_offset(&s, &offset) || s.len)
        return err_set(ERR_INVALID, "no RFC 3339 time at byte %zu of %zu", text.len - s.len, text.len);
    at = clock_instant(&c) - offset;
    if (at < CLOCK_TEXT_MIN || at > CLOCK_TEXT_MAX)
        return err_set(ERR_INVALID, "a time outside the years 0000 to 9999");
    *instant = at;
    if (offset_s)
        *offset_s = offset;
    return ERR_OK;
}

enum err clock_parse_local(struct str text, struct civil *out)
{
    struct str s = text;
    struct civil c = {0};

    if (!take_date(&s, &c) || (s.len && (!take_separator(&s) || !take_minutes(&s, &c.hour, &c.minute))) ||
        (s.len && (!take_char(&s, ':') || !take_number(&s, 2, 59, &c.second))) || s.len)
        return err_set(ERR_INVALID, "no local date or time at byte %zu of %zu", text.len - s.len, text.len);
    *out = c;
    return ERR_OK;
}
