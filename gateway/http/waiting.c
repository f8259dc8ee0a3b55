/*
 * Requests that wait for a worker. Their connections are suspended in the library, which must not
 * be stopped with one suspended: so all are in a list, and can be given up.
 */
#include "gateway/http/listener.h"

static void link_suspended(struct http_listener *listener, struct http_request *request)
{
    request->next = listener->suspended;
    request->at = &listener->suspended;
    if (request->next != NULL)
        request->next->at = &request->next;
    listener->suspended = request;
    request->linked = true;
}

/* Only its own listener thread puts a request into the list or takes it out, so that thread sees
 * without the lock that it is not there, the usual case. */
void waiting_end(struct http_request *request)
{
    struct http_listener *listener = request->listener;
    if (!request->linked)
        return;
    (void)pthread_mutex_lock(&listener->lock);
    *request->at = request->next;
    if (request->next != NULL)
        request->next->at = request->at;
    (void)pthread_mutex_unlock(&listener->lock);
    request->linked = false;
}

/* Exactly one of the worker and the one who gives up moves the owner on, and resumes. */
static bool hand_over(struct http_request *request, int from, int to)
{
    return atomic_compare_exchange_strong(&request->owner, &from, to);
}

static void end_job(struct http_request *request)
{
    struct http_listener *listener = request->listener;
    request_unref(request);
    atomic_fetch_sub(&listener->jobs, 1);
}

static void work(void *arg)
{
    struct http_request *request = arg;
    const struct http_app *app = request->app;
    if (hand_over(request, OWNER_QUEUE, OWNER_WORKER)) {
        request->verdict = request->step == STEP_HEAD ? app->head(app->arg, request, true)
                                                      : app->run(app->arg, request, true);
        if (hand_over(request, OWNER_WORKER, OWNER_LISTENER))
            library_resume(request->connection);
    }
    end_job(request);
}

static bool suspend(struct http_listener *listener, struct http_request *request)
{
    (void)pthread_mutex_lock(&listener->lock);
    bool may = !listener->draining;
    if (may) {
        atomic_store(&request->owner, OWNER_QUEUE);
        request_ref(request);
        atomic_fetch_add(&listener->jobs, 1);
        link_suspended(listener, request);
        library_suspend(request->connection);
    }
    (void)pthread_mutex_unlock(&listener->lock);
    return may;
}

/* The queue is full: take the request back, unless it was given up meanwhile. */
static void take_back(struct http_request *request)
{
    if (hand_over(request, OWNER_QUEUE, OWNER_WORKER)) {
        reply_busy(request, "too many requests wait; try again");
        request->verdict = HTTP_DONE;
        if (hand_over(request, OWNER_WORKER, OWNER_LISTENER))
            library_resume(request->connection);
    }
    end_job(request);
}

bool waiting_begin(struct http_request *request)
{
    if (!suspend(request->listener, request))
        return false;
    struct worker_pool *slow = request->slow ? request->app->slow_workers : NULL;
    struct worker_pool *pool = slow != NULL ? slow : request->listener->workers;
    if (worker_submit(pool, work, request) != ISG_OK)
        take_back(request);
    return true;
}

void listener_give_up_waiting(struct http_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    listener->draining = true;
    for (struct http_request *r = listener->suspended; r != NULL; r = r->next)
        if (hand_over(r, OWNER_QUEUE, OWNER_NONE) || hand_over(r, OWNER_WORKER, OWNER_NONE))
            library_resume(r->connection);
    (void)pthread_mutex_unlock(&listener->lock);
}
