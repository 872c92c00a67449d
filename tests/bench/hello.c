/* The least that libmicrohttpd can do: one thread, one small answer. The measure for requests. Prints its
 * port. */
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state)
{
    static const char text[] = "{\"status\":\"open\"}\n";
    static int seen;
    struct MHD_Response *r;
    enum MHD_Result done;

    (void)context, (void)url, (void)method, (void)version, (void)data, (void)size;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    r = MHD_create_response_from_buffer(sizeof text - 1, (void *)(unsigned long)text, MHD_RESPMEM_PERSISTENT);
    done = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return done;
}

int main(void)
{
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_END);

    if (!d)
        return 1;
    (void)printf("%d\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    (void)pause();
    MHD_stop_daemon(d);
    return 0;
}
