#include "pds/base/log.h"

#include "pds/base/buf.h"
#include "pds/base/clock.h"
#include "pds/base/json.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <unistd.h>

/* Room for the longest story with every byte escaped, and for some sixty numbers. */
enum { LINE_BYTES = 8192 };

static const char *const LEVELS[] = {"debug", "info", "warning", "error"};
static atomic_int least_level = LOG_INFO;

void log_set_level(enum log_level least) { atomic_store(&least_level, (int)least); }

static void put_text(struct buf *line, const char *name, const char *text)
{
    buf_printf(line, "%s\"%s\":", line->len > 1 ? "," : "", name);
    json_quote(line, str_of(text));
}

static void put_head(struct buf *line, enum log_level level, const char *event)
{
    char time[CLOCK_TEXT_BYTES];

    clock_text(clock_now(), time);
    buf_clear(line);
    buf_char(line, '{');
    put_text(line, "time", time);
    put_text(line, "level", LEVELS[level]);
    put_text(line, "event", event);
}

/* One write a line, so that lines of threads do not mix. */
static void put_out(struct buf *line)
{
    buf_text(line, "}\n");
    if (!line->err && write(STDERR_FILENO, line->data, line->len) < 0)
        return; /* there is nobody left to tell */
}

static bool is_wanted(enum log_level level) { return (int)level >= atomic_load(&least_level); }

void log_event(enum log_level level, const char *event, const struct log_number *numbers)
{
    char memory[LINE_BYTES];
    struct buf line;

    if (!is_wanted(level))
        return;
    buf_over(&line, memory, sizeof memory);
    put_head(&line, level, event);
    for (; numbers && numbers->name; numbers++)
        buf_printf(&line, ",\"%s\":%" PRId64, numbers->name, numbers->value);
    if (line.err)
        put_head(&line, level, event);
    put_out(&line);
}

void log_failure(const char *event, enum err e)
{
    char memory[LINE_BYTES];
    struct buf line;

    if (!is_wanted(LOG_ERROR))
        return;
    buf_over(&line, memory, sizeof memory);
    put_head(&line, LOG_ERROR, event);
    put_text(&line, "error", err_row(e)->name);
    put_text(&line, "story", err_story());
    put_out(&line);
}
