#include "gateway/sync/state.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/utf8.h"
#include "stix/json.h"

enum { DOCUMENT_MAX = 16384 };

/* A run that found nothing to do is noted so often. */
static const int64_t quiet_us = INT64_C(60) * 1000000;

static void text_from(const struct stix_json *json, const char *name, char *out, size_t room)
{
    struct isg_str text = stix_json_get_str(json, name);
    (void)snprintf(out, room, "%.*s", text.n < room ? (int)text.n : 0, text.n > 0 ? text.p : "");
}

static uint64_t number_from(const struct stix_json *json, const char *name)
{
    int64_t n;
    return stix_json_int(stix_json_get(json, name), &n) && n > 0 ? (uint64_t)n : 0;
}

/* The counts of the last good run. */
static const struct {
    const char *name;
    size_t offset;
} counts[] = {
    {"total", offsetof(struct state, total)},
    {"added", offsetof(struct state, added)},
    {"changed", offsetof(struct state, changed)},
    {"same", offsetof(struct state, same)},
    {"refused", offsetof(struct state, refused)},
    {"excluded", offsetof(struct state, excluded)},
    {"unreadable", offsetof(struct state, unreadable)},
    {"delisted", offsetof(struct state, delisted)},
};
enum { COUNTS = sizeof counts / sizeof counts[0] };

static uint64_t *count_of(struct state *state, size_t i)
{
    return (uint64_t *)(void *)((char *)state + counts[i].offset);
}

static void counts_write(const struct state *state, struct isg_jsonw *w)
{
    for (size_t i = 0; i < COUNTS; i++) {
        uint64_t n;
        memcpy(&n, (const char *)state + counts[i].offset, sizeof n);
        isg_jsonw_put_int(w, counts[i].name, (int64_t)n);
    }
}

static void state_read(const struct stix_json *json, struct state *out)
{
    text_from(json, "etag", out->etag, sizeof out->etag);
    text_from(json, "last_modified", out->last_modified, sizeof out->last_modified);
    text_from(json, "source", out->source, sizeof out->source);
    text_from(json, "cursor", out->cursor, sizeof out->cursor);
    text_from(json, "held", out->held, sizeof out->held);
    text_from(json, "last_error", out->last_error, sizeof out->last_error);
    out->converter = (unsigned)number_from(json, "converter");
    char log[17];
    text_from(json, "log", log, sizeof log);
    out->log = strtoull(log, NULL, 16);
    out->position = number_from(json, "position");
    out->sending = number_from(json, "sending");
    text_from(json, "status", out->status, sizeof out->status);
    out->pending_since_us = (int64_t)number_from(json, "pending_since_us");
    out->polls = (unsigned)number_from(json, "polls");
    out->more = stix_json_bool(stix_json_get(json, "more"));
    out->sent = number_from(json, "sent");
    out->sent_refused = number_from(json, "sent_refused");
    text_from(json, "last_refusal", out->last_refusal, sizeof out->last_refusal);
    out->held_times = (unsigned)number_from(json, "held_times");
    out->last_run_us = (int64_t)number_from(json, "last_run_us");
    out->last_success_us = (int64_t)number_from(json, "last_success_us");
    out->failures = (unsigned)number_from(json, "failures");
    out->permanent = stix_json_bool(stix_json_get(json, "permanent"));
    out->retry_after_s = (unsigned)number_from(json, "retry_after_s");
    for (size_t i = 0; i < COUNTS; i++)
        *count_of(out, i) = number_from(json, counts[i].name);
}

int state_load(struct store *store, const char *name, struct state *out, struct isg_fail *why)
{
    struct isg_buf text;
    struct stix_json *json = NULL;
    struct state state = {.position = 0};
    isg_buf_init(&text, DOCUMENT_MAX);
    int err = store_doc_get(store, STORE_FEED_STATE, isg_str_of(name), &text, why);
    if (err == ISG_OK && stix_json_parse(isg_buf_str(&text), NULL, &json, NULL) == ISG_OK)
        state_read(json, &state); /* an unreadable one counts as none: everything is read again */
    if (err == ISG_OK || err == ISG_ENOENT) {
        *out = state;
        err = ISG_OK;
    }
    stix_json_free(&json);
    isg_buf_done(&text);
    return err;
}

static void outgoing_save(const struct state *state, struct isg_jsonw *w)
{
    char log[17];
    (void)snprintf(log, sizeof log, "%" PRIx64, state->log);
    isg_jsonw_put(w, "log", log);
    isg_jsonw_put_int(w, "position", (int64_t)state->position);
    isg_jsonw_put_int(w, "sending", (int64_t)state->sending);
    isg_jsonw_put(w, "status", state->status);
    isg_jsonw_put_int(w, "pending_since_us", state->pending_since_us);
    isg_jsonw_put_int(w, "polls", state->polls);
    isg_jsonw_put_bool(w, "more", state->more);
    isg_jsonw_put_int(w, "sent", (int64_t)state->sent);
    isg_jsonw_put_int(w, "sent_refused", (int64_t)state->sent_refused);
    isg_jsonw_put(w, "last_refusal", state->last_refusal);
}

int state_save(struct store *store, const char *name, const struct state *state,
               struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, DOCUMENT_MAX);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "etag", state->etag);
    isg_jsonw_put(&w, "last_modified", state->last_modified);
    isg_jsonw_put_int(&w, "converter", state->converter);
    isg_jsonw_put(&w, "source", state->source);
    isg_jsonw_put(&w, "cursor", state->cursor);
    outgoing_save(state, &w);
    isg_jsonw_put(&w, "held", state->held);
    isg_jsonw_put_int(&w, "held_times", state->held_times);
    isg_jsonw_put_int(&w, "last_run_us", state->last_run_us);
    isg_jsonw_put_int(&w, "last_success_us", state->last_success_us);
    isg_jsonw_put_int(&w, "failures", state->failures);
    isg_jsonw_put_bool(&w, "permanent", state->permanent);
    isg_jsonw_put_int(&w, "retry_after_s", state->retry_after_s);
    isg_jsonw_put(&w, "last_error", state->last_error);
    counts_write(state, &w);
    isg_jsonw_end(&w);
    int err = text.err != ISG_OK ? isg_fail(why, text.err, "the state is too large")
                                 : store_doc_put(store, STORE_FEED_STATE, isg_str_of(name),
                                                 isg_buf_str(&text), why);
    isg_buf_done(&text);
    return err;
}

bool state_is_news(const struct state *before, const struct state *now)
{
    return now->total > 0 || before->failures > 0 || before->more || now->more ||
           now->position != before->position || now->sending != before->sending ||
           now->log != before->log || strcmp(now->status, before->status) != 0 ||
           now->polls != before->polls || strcmp(now->cursor, before->cursor) != 0 ||
           now->last_success_us - before->last_success_us > quiet_us;
}

uint64_t state_backlog(const struct state *state, const struct store_head *head)
{
    bool another = state->log != 0 && state->log != head->log;
    return another || state->position > head->position ? head->position
                                                       : head->position - state->position;
}

static void put_time(struct isg_jsonw *w, const char *name, int64_t us)
{
    char text[ISG_TIME_TEXT];
    if (us == 0)
        return;
    isg_time_format(us, 3, text);
    isg_jsonw_put(w, name, text);
}

void state_write(const struct state *state, struct isg_jsonw *w)
{
    const char *word = state->last_run_us == 0 ? "waiting" : state->failures > 0 ? "failing" : "ok";
    isg_jsonw_put(w, "state", word);
    put_time(w, "last_run", state->last_run_us);
    put_time(w, "last_success", state->last_success_us);
    isg_jsonw_put(w, "last_error", state->last_error[0] != '\0' ? state->last_error : NULL);
    isg_jsonw_put_int(w, "failures", state->failures);
    counts_write(state, w);
    if (state->held_times > 0)
        isg_jsonw_put_bool(w, "removals_held", true);
}

void state_error_text(const struct isg_fail *why, char out[STATE_ERROR_MAX])
{
    bool place = why->path[0] != '\0';
    bool rule = why->rule[0] != '\0';
    (void)snprintf(out, STATE_ERROR_MAX, "%.150s%s%.60s%s%.30s%s",
                   why->text[0] != '\0' ? why->text : isg_strerror(why->code), place ? " at " : "",
                   why->path, rule ? " [" : "", why->rule, rule ? "]" : "");
    isg_utf8_mend(out);
}

void state_succeeded(struct state *state, int64_t start_us)
{
    state->last_run_us = start_us;
    state->last_success_us = isg_time_now_us();
    state->failures = 0;
    state->permanent = false;
    state->retry_after_s = 0;
    state->last_error[0] = '\0';
}

void state_failed(struct state *state, int64_t start_us, const struct isg_fail *why)
{
    /* what the other side says of waiting counts from its answer, which may have taken long */
    state->last_run_us = state->retry_after_s > 0 ? isg_time_now_us() : start_us;
    state->failures++;
    state->permanent =
        why->code == ISG_EAUTH || why->code == ISG_EDENIED || why->code == ISG_ENOENT;
    state_error_text(why, state->last_error);
}
