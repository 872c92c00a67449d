/* A program run as a child, measured; its output goes nowhere.
 *
 *   bench_child spend PROGRAM…         its wall clock and CPU seconds, its largest memory, its exit status
 *   bench_child answer PATH PROGRAM…   a server that prints an address or port when it listens: milliseconds
 * from its start to the first answer to GET PATH; then it is stopped
 *
 * Prints one JSON object. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static pid_t start(char *argv[], int out)
{
    pid_t child = fork();

    if (child < 0)
        exit(1);
    if (child == 0) {
        (void)dup2(out, STDOUT_FILENO);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    return child;
}

static int spend(char *argv[])
{
    double begun = now_s();
    pid_t child = start(argv, open("/dev/null", O_WRONLY | O_CLOEXEC));
    struct rusage use;
    int status;

    if (wait4(child, &status, 0, &use) != child)
        return 1;
    (void)printf("{\"wall_s\":%.6f,\"cpu_s\":%.6f,\"rss_kib\":%ld,\"status\":%d}\n", now_s() - begun,
                 seconds(use.ru_utime) + seconds(use.ru_stime), use.ru_maxrss,
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

/* The last number of the first line that the server prints; 0 when it ends before. */
static int read_port(int from)
{
    char line[512];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof line - 1 && !memchr(line, '\n', len) &&
           (n = read(from, line + len, sizeof line - 1 - len)) > 0)
        len += (size_t)n;
    while (len && (line[len - 1] < '0' || line[len - 1] > '9'))
        len--;
    line[len] = '\0';
    while (len && line[len - 1] >= '0' && line[len - 1] <= '9')
        len--;
    return atoi(line + len);
}

/* 1 when the answer begins with 200. */
static int ask(int port, const char *path)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char text[1024];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, port);
    ssize_t got;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || n >= (int)sizeof text || connect(fd, (struct sockaddr *)&to, sizeof to) ||
        send(fd, text, (size_t)n, 0) != n)
        return 0;
    got = recv(fd, text, sizeof text, 0);
    (void)close(fd);
    return got > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0;
}

static int answer(char *argv[])
{
    int ends[2], good = 0, port;
    double begun, took;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC))
        return 1;
    begun = now_s();
    child = start(argv + 1, ends[1]);
    (void)close(ends[1]);
    if ((port = read_port(ends[0])))
        good = ask(port, argv[0]);
    took = now_s() - begun;
    (void)kill(child, SIGTERM);
    (void)waitpid(child, NULL, 0);
    if (!good)
        return 1;
    (void)printf("{\"answer_ms\":%.3f}\n", took * 1e3);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc > 2 && strcmp(argv[1], "spend") == 0)
        return spend(argv + 2);
    if (argc > 3 && strcmp(argv[1], "answer") == 0)
        return answer(argv + 2);
    return 2;
}
