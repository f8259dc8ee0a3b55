/*
 * Pushing objects to a collection of another server: envelopes below its max_content_length
 * (T-088), each followed to the end of its status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "feeds/feed.h"
#include "feeds/taxii_client.h"
#include "feeds/taxii_find.h"
#include "stix/base/time.h"

enum {
    ENVELOPE_MAX = 8 << 20, /* even where the server takes more */
    ENVELOPE_MIN = 1024,
    OBJECTS_MAX = 5000, /* in one envelope */
    URL_MAX = 8192,
    POLL_S = 60 /* a status is followed this long */
};

static const char head[] = "{\"objects\":[";
static const char tail[] = "]}";

struct taxii_push {
    struct taxii_target target; /* its texts are the caller's until the end */
    struct taxii_place place;
    struct isg_buf objects; /* the objects waiting, one after the other */
    size_t *ends;           /* where each ends in objects */
    size_t count;
    size_t max; /* bytes of an envelope */
    struct taxii_push_result result;
    int err; /* sticky: nothing is sent after a failure */
};

static void push_free(struct taxii_push *push)
{
    taxii_place_done(&push->place);
    isg_buf_done(&push->objects);
    free(push->ends);
    free(push);
}

int feed_taxii_push_open(const struct taxii_target *target, struct taxii_push **out,
                         struct isg_fail *why)
{
    struct taxii_push *push = calloc(1, sizeof *push);
    size_t *ends = calloc(OBJECTS_MAX, sizeof *ends);
    if (push == NULL || ends == NULL) {
        free(push);
        free(ends);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    push->target = *target;
    push->ends = ends;
    int err = taxii_find(target, &push->place, why);
    if (err == ISG_OK && !push->place.can_write)
        err = isg_fail(why, ISG_EDENIED, "the collection may not be written");
    if (err != ISG_OK) {
        push_free(push);
        return err;
    }
    int64_t declared = push->place.max_content_length;
    push->max = ENVELOPE_MAX;
    if (declared > 0 && declared < ENVELOPE_MAX)
        push->max = declared > ENVELOPE_MIN ? (size_t)declared : ENVELOPE_MIN;
    isg_buf_init(&push->objects, ENVELOPE_MAX);
    *out = push;
    return ISG_OK;
}

/* ---- results -------------------------------------------------------------------------------- */

static void note_failure(struct taxii_push *push, struct isg_str id, struct isg_str message)
{
    push->result.failure++;
    if (push->result.first_failure[0] != '\0')
        return;
    (void)snprintf(push->result.first_failure, sizeof push->result.first_failure, "%.*s: %.*s",
                   (int)(id.n < 100 ? id.n : 100), id.n > 0 ? id.p : "",
                   (int)(message.n < 140 ? message.n : 140), message.n > 0 ? message.p : "");
}

static size_t count_of(const struct stix_json *status, const char *name)
{
    int64_t n;
    return stix_json_int(stix_json_get(status, name), &n) && n > 0 ? (size_t)n : 0;
}

static void result_add(struct taxii_push *push, const struct stix_json *status)
{
    size_t failures = count_of(status, "failure_count");
    const struct stix_json *list = stix_json_get(status, "failures");
    push->result.success += count_of(status, "success_count");
    push->result.pending += count_of(status, "pending_count");
    for (size_t i = 0; i < failures; i++) {
        const struct stix_json *failure = stix_json_at(list, i);
        note_failure(push, stix_json_get_str(failure, "id"), stix_json_get_str(failure, "message"));
    }
}

/* ---- sending -------------------------------------------------------------------------------- */

static void wait_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) != 0)
        continue;
}

static bool is_pending(const struct stix_json *status)
{
    return isg_str_is(stix_json_get_str(status, "status"), "pending");
}

/* Ask for the status until it is complete or time is up; *status is replaced. */
static int follow(struct taxii_push *push, struct stix_json **status, struct isg_fail *why)
{
    struct isg_buf url;
    int64_t deadline = isg_time_mono_us() + (int64_t)POLL_S * 1000000;
    long wait = 100;
    isg_buf_init(&url, URL_MAX);
    isg_buf_put_str(&url, isg_buf_str(&push->place.root));
    isg_buf_puts(&url, "status/");
    taxii_escape(&url, stix_json_get_str(*status, "id"));
    isg_buf_putc(&url, '/');
    int err = url.err;
    while (err == ISG_OK && is_pending(*status) && isg_time_mono_us() < deadline) {
        struct stix_json *next = NULL;
        wait_ms(wait);
        wait = wait < 2000 ? wait * 2 : wait;
        err = taxii_get_json(&push->target, url.p, &next, why);
        if (err == ISG_OK) {
            stix_json_free(status);
            *status = next;
        }
    }
    isg_buf_done(&url);
    return err;
}

static int status_read(struct taxii_push *push, const struct feed_response *response,
                       struct isg_fail *why)
{
    struct stix_json *status = NULL;
    struct isg_str body = isg_buf_str(&response->body);
    if (feed_is_html(isg_str_of(response->content_type), body))
        return isg_fail(why, ISG_EPARSE, "an HTML page where a status was due");
    int err = stix_json_parse(body, NULL, &status, why);
    if (err == ISG_OK && is_pending(status))
        err = follow(push, &status, why);
    if (err == ISG_OK)
        result_add(push, status);
    stix_json_free(&status);
    return err;
}

static size_t end_of(const struct taxii_push *push, size_t i)
{
    return i == 0 ? 0 : push->ends[i - 1];
}

static void envelope(const struct taxii_push *push, size_t from, size_t to, struct isg_buf *out)
{
    isg_buf_puts(out, head);
    for (size_t i = from; i < to; i++) {
        size_t begin = end_of(push, i);
        if (i > from)
            isg_buf_putc(out, ',');
        isg_buf_put(out, push->objects.p + begin, push->ends[i] - begin);
    }
    isg_buf_puts(out, tail);
}

static int post(struct taxii_push *push, size_t from, size_t to, struct isg_fail *why)
{
    struct isg_buf body;
    struct isg_buf url;
    struct feed_response response = {0};
    isg_buf_init(&body, ENVELOPE_MAX + OBJECTS_MAX + sizeof head + sizeof tail);
    isg_buf_init(&url, URL_MAX);
    envelope(push, from, to, &body);
    isg_buf_put_str(&url, isg_buf_str(&push->place.collection));
    isg_buf_puts(&url, "objects/");
    int err = body.err != ISG_OK ? body.err : url.err;
    if (err == ISG_OK)
        err = taxii_request(&push->target, url.p, isg_buf_str(&body), &response, why);
    if (err == ISG_OK)
        err = status_read(push, &response, why);
    feed_response_done(&response);
    isg_buf_done(&url);
    isg_buf_done(&body);
    return err;
}

/* A server whose real limit is below what it declares answers 413: send halves. */
static int send_range(struct taxii_push *push, size_t from, size_t to, struct isg_fail *why)
{
    if (from == to)
        return ISG_OK;
    int err = post(push, from, to, why);
    if (err != ISG_ELIMIT)
        return err;
    if (to - from == 1) {
        note_failure(push, (struct isg_str){0}, ISG_STR("an object is too large for the server"));
        return ISG_OK;
    }
    size_t half = from + (to - from) / 2;
    err = send_range(push, from, half, why);
    return err == ISG_OK ? send_range(push, half, to, why) : err;
}

static int flush(struct taxii_push *push, struct isg_fail *why)
{
    if (push->err == ISG_OK)
        push->err = send_range(push, 0, push->count, why);
    push->count = 0;
    isg_buf_reset(&push->objects);
    return push->err;
}

int feed_taxii_push_add(struct taxii_push *push, struct isg_str object, struct isg_fail *why)
{
    size_t frame = sizeof head + sizeof tail;
    if (push->err != ISG_OK)
        return push->err;
    push->result.total++;
    if (object.n + frame > push->max) {
        note_failure(push, (struct isg_str){0}, ISG_STR("an object is too large for the server"));
        return ISG_OK;
    }
    size_t with = push->objects.len + push->count + object.n + frame;
    if (with > push->max || push->count == OBJECTS_MAX) {
        int err = flush(push, why);
        if (err != ISG_OK)
            return err;
    }
    isg_buf_put_str(&push->objects, object);
    push->ends[push->count++] = push->objects.len;
    push->err = push->objects.err;
    return push->err;
}

int feed_taxii_push_close(struct taxii_push **push, struct taxii_push_result *out,
                          struct isg_fail *why)
{
    if (*push == NULL)
        return ISG_OK;
    int err = flush(*push, why);
    if (err == ISG_OK)
        *out = (*push)->result;
    push_free(*push);
    *push = NULL;
    return err;
}
