/*
 * Pushing objects to a collection of another server: envelopes below its max_content_length
 * (T-088), and the statuses that tell what became of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/feed.h"
#include "feeds/taxii_client.h"
#include "feeds/taxii_find.h"

enum {
    ENVELOPE_MAX = 8 << 20, /* even where the server takes more */
    ENVELOPE_MIN = 1024,
    OBJECTS_MAX = 1000, /* in one envelope: most servers complete that within the request */
    URL_MAX = 8192
};

static const char head[] = "{\"objects\":[";
static const char tail[] = "]}";

struct taxii_push {
    struct taxii_target target; /* its texts are the caller's until the end */
    struct taxii_place place;
    size_t max;         /* bytes of an envelope */
    size_t objects_max; /* of an envelope: less after a 413 */
};

void feed_taxii_push_close(struct taxii_push **push)
{
    if (*push == NULL)
        return;
    taxii_place_done(&(*push)->place);
    free(*push);
    *push = NULL;
}

int feed_taxii_push_open(const struct taxii_target *target, struct taxii_push **out,
                         struct isg_fail *why)
{
    struct taxii_push *push = calloc(1, sizeof *push);
    if (push == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    push->target = *target;
    push->objects_max = OBJECTS_MAX;
    int err = taxii_find(target, &push->place, why);
    if (err == ISG_OK && !push->place.can_write)
        err = isg_fail(why, ISG_EDENIED, "the collection may not be written");
    if (err != ISG_OK) {
        feed_taxii_push_close(&push);
        return err;
    }
    int64_t declared = push->place.max_content_length;
    push->max = ENVELOPE_MAX;
    if (declared > 0 && declared < ENVELOPE_MAX)
        push->max = declared > ENVELOPE_MIN ? (size_t)declared : ENVELOPE_MIN;
    *out = push;
    return ISG_OK;
}

/* ---- statuses ------------------------------------------------------------------------------- */

static size_t count_of(const struct stix_json *status, const char *name)
{
    int64_t n;
    return stix_json_int(stix_json_get(status, name), &n) && n > 0 ? (size_t)n : 0;
}

/* The bytes of a stranger's text that may stand in a log: printable ASCII, at most max. */
static void plain_text(struct isg_str text, size_t max, char *out)
{
    size_t n = text.n < max ? text.n : max;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?');
    out[n] = '\0';
}

static void failures_read(const struct stix_json *status, struct taxii_sent *out)
{
    const struct stix_json *list = stix_json_get(status, "failures");
    const struct stix_json *first = stix_json_at(list, 0);
    char id[101];
    char message[141];
    out->failure = count_of(status, "failure_count");
    if (out->failure < stix_json_size(list))
        out->failure = stix_json_size(list);
    if (first == NULL)
        return;
    plain_text(stix_json_get_str(first, "id"), sizeof id - 1, id);
    plain_text(stix_json_get_str(first, "message"), sizeof message - 1, message);
    (void)snprintf(out->first_failure, sizeof out->first_failure, "%s: %s", id, message);
}

static int status_of(const struct stix_json *status, struct taxii_sent *out, struct isg_fail *why)
{
    struct isg_str word = stix_json_get_str(status, "status");
    struct isg_str id = stix_json_get_str(status, "id");
    out->is_pending = isg_str_is(word, "pending");
    if (!out->is_pending && !isg_str_is(word, "complete"))
        return isg_fail(why, ISG_EPARSE, "the server's answer is no status");
    if (id.n >= sizeof out->id || (out->is_pending && id.n == 0))
        return isg_fail(why, ISG_EPARSE, "a pending status without a usable id");
    (void)snprintf(out->id, sizeof out->id, "%.*s", (int)id.n, id.n > 0 ? id.p : "");
    out->success = count_of(status, "success_count");
    out->pending = count_of(status, "pending_count");
    failures_read(status, out);
    return ISG_OK;
}

static int answer_read(const struct feed_response *response, struct taxii_sent *out,
                       struct isg_fail *why)
{
    struct stix_json *status = NULL;
    struct isg_str body = isg_buf_str(&response->body);
    if (feed_is_html(isg_str_of(response->content_type), body))
        return isg_fail(why, ISG_EPARSE, "an HTML page where a status was due");
    int err = stix_json_parse(body, NULL, &status, NULL) == ISG_OK
                  ? status_of(status, out, why)
                  : isg_fail(why, ISG_EPARSE, "the server's answer is no status");
    stix_json_free(&status);
    return err;
}

int feed_taxii_push_status(struct taxii_push *push, const char *id, struct taxii_sent *out,
                           struct isg_fail *why)
{
    struct isg_buf url;
    struct stix_json *status = NULL;
    *out = (struct taxii_sent){.taken = 0};
    isg_buf_init(&url, URL_MAX);
    isg_buf_put_str(&url, isg_buf_str(&push->place.root));
    isg_buf_puts(&url, "status/");
    taxii_escape(&url, isg_str_of(id));
    isg_buf_putc(&url, '/');
    int err = url.err != ISG_OK ? isg_fail(why, ISG_EUSAGE, "the URL is too long")
                                : taxii_get_json(&push->target, url.p, &status, why);
    if (err == ISG_OK)
        err = status_of(status, out, why);
    stix_json_free(&status);
    isg_buf_done(&url);
    return err;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* How many of the first objects one envelope holds; 0: not even the first. */
static size_t fitting(const struct taxii_push *push, const struct isg_str *objects, size_t n)
{
    size_t bytes = sizeof head + sizeof tail;
    size_t count = 0;
    while (count < n && count < push->objects_max && bytes + objects[count].n + 1 <= push->max)
        bytes += objects[count++].n + 1;
    return count;
}

static int post(struct taxii_push *push, const struct isg_str *objects, size_t n,
                struct taxii_sent *out, struct isg_fail *why)
{
    struct isg_buf body;
    struct isg_buf url;
    struct feed_response response = {0};
    isg_buf_init(&body, ENVELOPE_MAX);
    isg_buf_init(&url, URL_MAX);
    isg_buf_puts(&body, head);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            isg_buf_putc(&body, ',');
        isg_buf_put_str(&body, objects[i]);
    }
    isg_buf_puts(&body, tail);
    isg_buf_put_str(&url, isg_buf_str(&push->place.collection));
    isg_buf_puts(&url, "objects/");
    int err = body.err != ISG_OK ? body.err : url.err;
    if (err == ISG_OK)
        err = taxii_request(&push->target, url.p, isg_buf_str(&body), &response, why);
    if (err == ISG_ELIMIT && why != NULL && strcmp(why->rule, "R-084") == 0)
        err = isg_fail(why, ISG_ENET, "the server's answer is too large"); /* not our envelope */
    if (err == ISG_OK)
        err = answer_read(&response, out, why);
    feed_response_done(&response);
    isg_buf_done(&url);
    isg_buf_done(&body);
    return err;
}

int feed_taxii_push_send(struct taxii_push *push, const struct isg_str *objects, size_t n,
                         struct taxii_sent *out, struct isg_fail *why)
{
    size_t count = fitting(push, objects, n);
    *out = (struct taxii_sent){.taken = 0};
    if (count == 0)
        return isg_fail(why, ISG_ELIMIT, "an object is too large for the server");
    for (;;) {
        *out = (struct taxii_sent){.taken = count};
        int err = post(push, objects, count, out, why);
        if ((err != ISG_ELIMIT && err != ISG_EINVAL) || count == 1)
            return err;
        /* its real limit is below what it declares, or one of them spoils the whole: half of it */
        count /= 2;
        if (err == ISG_ELIMIT)
            push->objects_max = count;
    }
}
