#include "pds/cli/porter.h"

#include "pds/base/mem.h"
#include "pds/cli/control.h"

#include <pthread.h>

/* One socket. After its store was closed it stays until the commands that came in by it have ended. */
struct post {
    struct store *store; /* borrowed */
    struct control *control;
    bool left;
    struct post *next;
};

struct porter {
    pthread_mutex_t mutex;
    struct post *posts; /* owned */
};

struct porter *porter_new(void)
{
    struct porter *p = mem_new(sizeof *p);

    if (p)
        (void)pthread_mutex_init(&p->mutex, NULL); /* default attributes cannot fail on Linux */
    return p;
}

static void post_free(struct post *post)
{
    control_close(post->control);
    mem_free(post);
}

/* With the mutex held: those that no command is under way in any more. */
static void sweep(struct porter *p)
{
    for (struct post **at = &p->posts; *at;) {
        struct post *post = *at;

        if (!post->left || !control_is_over(post->control)) {
            at = &post->next;
            continue;
        }
        *at = post->next;
        post_free(post);
    }
}

static enum err opened(void *context, struct store *s)
{
    struct porter *p = context;
    struct post *post = mem_new(sizeof *post);
    enum err e;

    if (!post)
        return err_set(ERR_NO_MEMORY, "control");
    post->store = s;
    if ((e = control_open(s, &post->control))) {
        mem_free(post);
        return e;
    }
    (void)pthread_mutex_lock(&p->mutex);
    sweep(p);
    post->next = p->posts;
    p->posts = post;
    (void)pthread_mutex_unlock(&p->mutex);
    return ERR_OK;
}

static void closing(void *context, struct store *s)
{
    struct porter *p = context;
    struct post *post;

    (void)pthread_mutex_lock(&p->mutex);
    for (post = p->posts; post && (post->left || post->store != s);)
        post = post->next;
    (void)pthread_mutex_unlock(&p->mutex);
    if (!post)
        return;
    control_leave(post->control); /* swept only once it is marked */
    (void)pthread_mutex_lock(&p->mutex);
    post->left = true;
    (void)pthread_mutex_unlock(&p->mutex);
}

/* The house opens nothing any more: what waits for a store fails. */
static void ended(void *context)
{
    struct porter *p = context;
    struct post *next;

    for (struct post *post = p->posts; post; post = next) {
        next = post->next;
        post_free(post);
    }
    p->posts = NULL;
}

struct house_watch porter_watch(struct porter *p) { return (struct house_watch){opened, closing, ended, p}; }

void porter_free(struct porter *p)
{
    if (!p)
        return;
    (void)pthread_mutex_destroy(&p->mutex);
    mem_free(p);
}
