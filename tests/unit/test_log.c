#include "tests/harness/test.h"

#include "pds/base/auto.h"
#include "pds/base/clock.h"
#include "pds/base/fs.h"
#include "pds/base/json.h"
#include "pds/base/log.h"
#include "tests/harness/fault.h"
#include "tests/harness/tempdir.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct tempdir *dir;
static int standard_error;

/* From here on, what is logged goes to a file. */
static void capture(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    (void)close(fd);
}

static void capture_log(void) { capture(tempdir_path(dir, "log")); }

/* What was logged since, added to out. */
static void captured(struct buf *out)
{
    assert_true(dup2(standard_error, STDERR_FILENO) >= 0);
    assert_ok(fs_read(tempdir_path(dir, "log"), out->max, out));
}

static void an_event_is_a_line_of_json(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 10000);
    capture_log();
    log_event(LOG_INFO, "listening", LOG_NUMBERS({"port", 8080}, {"least", INT64_MIN}, {"most", INT64_MAX}));
    log_event(LOG_WARNING, "slow", NULL);
    captured(&out);
    assert_string_equal(
        out.data,
        "{\"time\":\"2026-11-24T10:00:00Z\",\"level\":\"info\",\"event\":\"listening\",\"port\":8080,"
        "\"least\":-9223372036854775808,\"most\":9223372036854775807}\n"
        "{\"time\":\"2026-11-24T10:00:00Z\",\"level\":\"warning\",\"event\":\"slow\"}\n");
}

static void a_failure_is_told_with_its_story(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 10000);
    capture_log();
    log_failure("request", err_set(ERR_NOT_FOUND, "grant \"01J\"\n"));
    captured(&out);
    assert_string_equal(out.data,
                        "{\"time\":\"2026-11-24T10:00:00Z\",\"level\":\"error\",\"event\":\"request\","
                        "\"error\":\"not-found\",\"story\":\"grant \\\"01J\\\"\\n\"}\n");
}

static void events_under_the_level_are_not_told(void **state)
{
    static const char *const LEVELS[] = {"debug", "info", "warning", "error"};

    (void)state;
    for (int least = LOG_DEBUG; least <= LOG_ERROR; least++) {
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            AUTO(buf_done) struct buf out;
            buf_init(&out, 1000);
            log_set_level((enum log_level)least);
            capture_log();
            log_event((enum log_level)level, "x", NULL);
            captured(&out);
            assert_int_equal(out.len > 0, level >= least);
            assert_true(out.len == 0 || strstr(out.data, LEVELS[level]));
        }
    }
    log_set_level(LOG_INFO);
}

static void failures_are_silent_above_every_level(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 1000);
    log_set_level((enum log_level)(LOG_ERROR + 1));
    capture_log();
    log_failure("x", err_set(ERR_IO, "story"));
    captured(&out);
    assert_int_equal(out.len, 0);
    log_set_level(LOG_INFO);
}

static void the_longest_story_fits(void **state)
{
    AUTO(buf_done) struct buf out;
    AUTO(json_freep) json_t *line = NULL;
    const char *story;
    char text[1000];

    (void)state;
    memset(text, '\x01', sizeof text - 1); /* six characters each */
    text[sizeof text - 1] = '\0';
    buf_init(&out, 10000);
    capture_log();
    log_failure("request", err_set(ERR_IO, "%s", text));
    captured(&out);
    assert_ok(json_read((struct str){out.data, out.len - 1}, 10000, &line));
    assert_ok(json_get_text(line, "story", &story));
    assert_string_equal(story, err_story());
}

static void numbers_that_do_not_fit_are_left_out(void **state)
{
    static struct log_number numbers[1001];
    AUTO(buf_done) struct buf out;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        numbers[i] = (struct log_number){"number", INT64_MAX};
    buf_init(&out, 10000);
    capture_log();
    log_event(LOG_INFO, "many", numbers);
    captured(&out);
    assert_string_equal(out.data,
                        "{\"time\":\"2026-11-24T10:00:00Z\",\"level\":\"info\",\"event\":\"many\"}\n");
}

static void a_log_that_cannot_be_written_changes_nothing(void **state)
{
    (void)state;
    capture("/dev/full");
    log_event(LOG_INFO, "lost", NULL);
    log_failure("lost", err_set(ERR_FULL, "story"));
    assert_true(dup2(standard_error, STDERR_FILENO) >= 0);
    assert_string_equal(err_story(), "story");
}

static void a_log_needs_no_memory(void **state)
{
    AUTO(buf_done) struct buf out;

    (void)state;
    buf_init(&out, 1000);
    capture_log();
    mem_fail_at(1);
    log_failure("request", ERR_NO_MEMORY);
    assert_false(mem_fail_hit());
    mem_fail_at(0);
    captured(&out);
    assert_non_null(strstr(out.data, "\"no-memory\""));
}

enum { LINES = 300 };

static void *log_lines(void *unused)
{
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "line", LOG_NUMBERS({"number", i}));
    return unused;
}

static void lines_of_threads_do_not_mix(void **state)
{
    AUTO(buf_done) struct buf out;
    pthread_t threads[3];
    struct str rest, line;
    int lines = 0;

    (void)state;
    buf_init(&out, 1000000);
    capture_log();
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_lines, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    captured(&out);
    rest = (struct str){out.data, out.len};
    while (str_split(&rest, '\n', &line) && line.len) {
        AUTO(json_freep) json_t *tree = NULL;
        assert_ok(json_read(line, line.len, &tree));
        lines++;
    }
    assert_int_equal(lines, LINES * (int)COUNT_OF(threads));
}

static int start(void **state)
{
    (void)state;
    json_start();
    clock_set(1795514400);
    dir = tempdir_new();
    standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    return standard_error < 0;
}

static int end(void **state)
{
    (void)state;
    tempdir_free(dir);
    return close(standard_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_line_of_json),
        cmocka_unit_test(a_failure_is_told_with_its_story),
        cmocka_unit_test(events_under_the_level_are_not_told),
        cmocka_unit_test(failures_are_silent_above_every_level),
        cmocka_unit_test(the_longest_story_fits),
        cmocka_unit_test(numbers_that_do_not_fit_are_left_out),
        cmocka_unit_test(a_log_that_cannot_be_written_changes_nothing),
        cmocka_unit_test(a_log_needs_no_memory),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, start, end);
}
