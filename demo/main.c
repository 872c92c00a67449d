#include "demo/enedis_file.h"
#include "demo/meter.h"
#include "demo/persona.h"

#include "pds/base/auto.h"
#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/limits.h"
#include "pds/base/opt.h"
#include "pds/base/str.h"
#include "pds/base/zone.h"

#include <stdio.h>
#include <string.h>

#define FILE_BYTES ((size_t)(64 * MIB))

enum { YEARS_DEFAULT = 2, DAYS_MAX = 20 * 366 };

static const char HELP[] =
    "Usage: traboule-demo files --persona NAME --out DIR [--from D] [--to D] [--seed N] [--personas DIR]\n"
    "\n"
    "Writes the two files that the persona would have downloaded from Enedis's portal: the half-hour\n"
    "curve and the daily indexes. The personas are invented, and so are their readings.\n"
    "\n";

static const struct opt OPTIONS[] = {
    {"persona", 'p', "NAME", "whose home: camille, joseph"},
    {"out", 'o', "DIR", "folder to write into; made when it is not there"},
    {"from", 0, "D", "first day, YYYY-MM-DD; two years of days without it"},
    {"to", 0, "D", "last day, YYYY-MM-DD; yesterday without it"},
    {"seed", 0, "N", "another seed, another weather and other habits; 1 without it"},
    {"personas", 0, "DIR", "where the persona's file lies; demo/personas of this program's tree without it"},
    {"help", 'h', NULL, "this text"},
    {0},
};

struct wish {
    const char *persona, *out;
    char personas[FS_PATH_BYTES];
    int64_t from_day, to_day; /* both included */
    uint64_t seed;
};

static enum err read_day(const struct opts *o, const char *name, int64_t *out)
{
    const char *text = opt_get(OPTIONS, o, name);
    struct civil date;

    if (!text)
        return ERR_OK;
    if (strlen(text) != strlen("2026-11-24") || clock_parse_local(str_of(text), &date))
        return err_set(ERR_USAGE, "--%s is no date of the form YYYY-MM-DD", name);
    *out = clock_days(date.year, date.month, date.day);
    return ERR_OK;
}

static enum err read_window(const struct opts *o, struct wish *w)
{
    struct civil today, after;
    enum err e;

    zone_local(zone_paris(), clock_now(), &today);
    w->to_day = clock_days(today.year, today.month, today.day) - 1;
    if ((e = read_day(o, "to", &w->to_day)))
        return e;
    clock_civil((w->to_day + 1) * 86400, &after);
    w->from_day = clock_days(after.year - YEARS_DEFAULT, after.month, after.day);
    if ((e = read_day(o, "from", &w->from_day)))
        return e;
    if (w->to_day < w->from_day || w->to_day - w->from_day > DAYS_MAX)
        return err_set(ERR_USAGE, "--from to --to is no window of 1 to %d days", DAYS_MAX);
    return ERR_OK;
}

static enum err read_wish(const struct opts *o, struct wish *w)
{
    const char *seed = opt_get(OPTIONS, o, "seed"), *personas = opt_get(OPTIONS, o, "personas");
    int64_t number = 1;

    w->persona = opt_get(OPTIONS, o, "persona");
    w->out = opt_get(OPTIONS, o, "out");
    if (o->arg_count != 1 || strcmp(o->args[0], "files") != 0)
        return err_set(ERR_USAGE, "the one command is: files");
    if (!w->persona || !w->out)
        return err_set(ERR_USAGE, "--persona and --out are needed");
    if (seed && (str_int64(str_of(seed), &number) || number < 0))
        return err_set(ERR_USAGE, "--seed is no whole number");
    w->seed = (uint64_t)number;
    if (!personas)
        return persona_folder(w->personas);
    return str_copy(str_of(personas), w->personas, sizeof w->personas);
}

static enum err write_file(struct meter *m, enum enedis_kind kind, const struct wish *w)
{
    AUTO(buf_done) struct buf text = {0};
    char path[FS_PATH_BYTES], name[ENEDIS_NAME_BYTES];
    enum err e;

    buf_init(&text, FILE_BYTES);
    enedis_file_name(m, kind, w->from_day, w->to_day, name);
    if ((e = fs_join(path, w->out, name)) ||
        (e = enedis_file_write(m, kind, w->from_day, w->to_day, &text)) ||
        (e = fs_replace(path, text.data, text.len)))
        return err_wrap(e, "writing %s", name);
    (void)printf("%s\n", path); /* told to whoever listens; the file is what counts */
    return ERR_OK;
}

static enum err write_files(const struct wish *w)
{
    struct persona persona;
    struct meter meter;
    enum err e;

    if ((e = persona_read(w->personas, w->persona, &persona)))
        return e;
    meter_init(&meter, &persona, w->seed);
    e = fs_make_private_dir(w->out);
    if (e && e != ERR_CONFLICT) /* it may be there */
        return e;
    if ((e = write_file(&meter, ENEDIS_HALF_HOURS, w)))
        return e;
    return write_file(&meter, ENEDIS_INDEXES, w);
}

static void help(FILE *to)
{
    (void)fputs(HELP, to); /* nothing to do about a closed terminal */
    for (const struct opt *o = OPTIONS; o->name; o++)
        (void)fprintf(to, "  --%-10s %-6s %s\n", o->name, o->value ? o->value : "", o->meaning);
}

int main(int argc, char *argv[])
{
    struct wish wish = {0};
    struct opts opts;
    enum err e;

    json_start();
    if (!(e = opt_parse(OPTIONS, argc - 1, argv + 1, &opts))) {
        if (opt_has(OPTIONS, &opts, "help")) {
            help(stdout);
            return 0;
        }
        if (!(e = read_wish(&opts, &wish)) && !(e = read_window(&opts, &wish)))
            e = write_files(&wish);
    }
    if (!e)
        return 0;
    (void)fprintf(stderr, "traboule-demo: %s\n", err_story());
    if (e == ERR_USAGE)
        help(stderr);
    return err_row(e)->exit;
}
