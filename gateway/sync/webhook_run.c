#include "gateway/sync/webhook_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "feeds/fetch.h"
#include "gateway/log.h"
#include "gateway/sync/lease.h"
#include "gateway/sync/route.h"
#include "gateway/sync/secret_file.h"
#include "gateway/trust/secret.h"
#include "stix/base/base64.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"
#include "stix/base/time.h"

enum {
    ARENA_MAX = 64 << 20,
    TIMEOUT_S = 30,
    SECRET_MIN = 24, /* bytes of the key */
    KEY_BYTES = 16,
    KEY_TEXT = 4 + 2 * KEY_BYTES + 1,
    SIGNATURE_TEXT = 64,
    HEADER_MAX = 128,
    OWN_HEADERS = 4
};

struct delivery {
    const struct sync_parts *parts;
    const struct config_webhook *webhook;
    const struct outgoing_how *how;
    const char *state_name;
    const struct registry *registry;
    const struct collection *collection;
    struct outbox outbox;
    struct isg_buf secret; /* the key's bytes */
    struct route route;
    struct isg_arena *arena;
    struct isg_buf bytes;
    struct isg_buf body;
    struct outbox_page page; /* what the delivery holds */
    size_t count;            /* objects of a notice: the page has only its first */
    struct isg_jsonw listing;
    size_t listed;
    struct state state;
    struct webhook_result result;
};

void webhook_state_name(const struct config_webhook *webhook, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "webhook:%s", webhook->name);
}

static bool is_notice(const struct delivery *d)
{
    return strcmp(d->webhook->content, "notice") == 0;
}

static int save(struct delivery *d, struct isg_fail *why)
{
    return lease_save(d->parts->lease, d->parts->store, d->state_name, &d->state, why);
}

/* ---- the secret ----------------------------------------------------------------------------- */

static int secret_read(struct delivery *d, struct isg_fail *why)
{
    static const char prefix[] = "whsec_";
    char *line = NULL;
    int err = secret_line_read(d->parts->config->dir, d->webhook->secret_file, &line, why);
    if (err != ISG_OK)
        return err;
    struct isg_str text = isg_str_trim(isg_str_of(line));
    bool good = true;
    if (isg_str_starts(text, ISG_STR(prefix)))
        good = isg_base64_decode(ISG_BASE64_STD, isg_str_from(text, sizeof prefix - 1), &d->secret);
    else
        isg_buf_put_str(&d->secret, text);
    secret_free(&line);
    if (!good || d->secret.err != ISG_OK || d->secret.len < SECRET_MIN)
        return isg_fail(
            why, ISG_EUSAGE,
            "the secret file holds neither whsec_ and base64 of %d bytes nor a text as long",
            SECRET_MIN);
    return ISG_OK;
}

static void secret_done(struct delivery *d)
{
    if (d->secret.p != NULL)
        trust_wipe(d->secret.p, d->secret.len);
    isg_buf_done(&d->secret);
}

/* ---- one delivery --------------------------------------------------------------------------- */

/* The key of the delivery: of nothing that changes from one try to the next. */
static void key_of(const struct delivery *d, char out[KEY_TEXT])
{
    const struct state *state = &d->state;
    const uint64_t range[] = {state->log, state->position, state->sending};
    struct isg_sha256 hash;
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * KEY_BYTES + 1];
    isg_sha256_init(&hash);
    isg_sha256_add(&hash, d->webhook->name, strlen(d->webhook->name) + 1);
    isg_sha256_add(&hash, d->collection->id, strlen(d->collection->id) + 1);
    isg_sha256_add(&hash, range, sizeof range);
    isg_sha256_end(&hash, digest);
    isg_hex_encode(digest, KEY_BYTES, hex);
    (void)snprintf(out, KEY_TEXT, "msg_%s", hex);
}

static void put_objects(const struct delivery *d, struct isg_jsonw *w)
{
    isg_jsonw_name(w, "objects");
    isg_jsonw_list(w);
    for (size_t i = 0; i < d->page.count; i++)
        isg_jsonw_raw(w, d->page.items[i].text);
    isg_jsonw_end(w);
}

/* Where to read on: the collection's objects from just before the first new one. */
static void put_place(struct delivery *d, struct isg_jsonw *w)
{
    char after[ISG_TIME_TEXT];
    isg_time_format(d->page.items[0].date_added_us - 1, 6, after);
    const char *url =
        isg_arena_printf(d->arena, "%s/%s/collections/%s/objects/", d->parts->config->public_url,
                         d->collection->root, d->collection->id);
    isg_jsonw_put(w, "url", url);
    isg_jsonw_put(w, "added_after", after);
    isg_jsonw_put_int(w, "count", (int64_t)d->count);
}

static int body_write(struct delivery *d, struct isg_fail *why)
{
    char when[ISG_TIME_TEXT];
    struct isg_jsonw w;
    isg_time_format(d->page.items[d->page.count - 1].date_added_us, 6, when);
    isg_buf_reset(&d->body);
    isg_jsonw_init(&w, &d->body);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "type", is_notice(d) ? "collection.changed" : "objects.added");
    isg_jsonw_put(&w, "timestamp", when);
    isg_jsonw_name(&w, "data");
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "collection", d->collection->id);
    isg_jsonw_put(&w, "title", d->collection->title);
    if (is_notice(d))
        put_place(d, &w);
    else
        put_objects(d, &w);
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    return d->body.err == ISG_OK ? ISG_OK : isg_fail(why, d->body.err, "no memory for a delivery");
}

static void sign(const struct delivery *d, const char *key, const char *when,
                 char out[SIGNATURE_TEXT])
{
    struct isg_buf text;
    uint8_t mac[TRUST_MAC_BYTES];
    const struct isg_str parts[] = {isg_str_of(key), ISG_STR("."), isg_str_of(when), ISG_STR("."),
                                    isg_buf_str(&d->body)};
    trust_hmac(isg_buf_str(&d->secret), parts, sizeof parts / sizeof parts[0], mac);
    isg_buf_init(&text, SIGNATURE_TEXT);
    isg_base64_encode(ISG_BASE64_STD, mac, sizeof mac, &text);
    (void)snprintf(out, SIGNATURE_TEXT, "%.*s", ISG_STR_ARG(isg_buf_str(&text)));
    isg_buf_done(&text);
}

static int judge(struct delivery *d, const struct feed_response *response, struct isg_fail *why)
{
    static const struct {
        int status;
        int code;
    } table[] = {{401, ISG_EAUTH},  {403, ISG_EDENIED}, {404, ISG_ENOENT}, {410, ISG_ENOENT},
                 {413, ISG_ELIMIT}, {429, ISG_ENET},    {408, ISG_ENET}};
    int status = response->status;
    d->state.retry_after_s = response->retry_after_s;
    if (status >= 200 && status < 300)
        return ISG_OK;
    int code = status >= 400 && status < 500 ? ISG_EINVAL : ISG_ENET;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (status == table[i].status)
            code = table[i].code;
    }
    return isg_fail(why, code, "the receiver answered %d", status);
}

/* Our own four lines and those of the setting, NULL-ended, in the arena. */
static const char **all_headers(const struct delivery *d, char lines[OWN_HEADERS][HEADER_MAX])
{
    const char *const *more = d->route.headers.lines;
    size_t n = 0;
    while (more != NULL && more[n] != NULL)
        n++;
    const char **all = isg_arena_alloc(d->arena, (OWN_HEADERS + n + 1) * sizeof *all);
    for (size_t i = 0; all != NULL && i < OWN_HEADERS; i++)
        all[i] = lines[i];
    for (size_t i = 0; all != NULL && i < n; i++)
        all[OWN_HEADERS + i] = more[i];
    return all;
}

/* Redirects are not followed: what was signed for one server is no other's. */
static int post(struct delivery *d, struct isg_fail *why)
{
    char key[KEY_TEXT];
    char when[24];
    char signature[SIGNATURE_TEXT];
    char lines[OWN_HEADERS][HEADER_MAX];
    const char **headers = all_headers(d, lines);
    struct feed_response response = {0};
    if (headers == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    key_of(d, key);
    (void)snprintf(when, sizeof when, "%" PRId64, isg_time_now_us() / 1000000);
    sign(d, key, when, signature);
    (void)snprintf(lines[0], HEADER_MAX, "webhook-id: %s", key);
    (void)snprintf(lines[1], HEADER_MAX, "webhook-timestamp: %s", when);
    (void)snprintf(lines[2], HEADER_MAX, "webhook-signature: v1,%s", signature);
    (void)snprintf(lines[3], HEADER_MAX, "Idempotency-Key: %s", key);
    const struct feed_request request = {.method = "POST",
                                         .url = d->webhook->url,
                                         .accept = "*/*",
                                         .content_type = "application/json",
                                         .body = isg_buf_str(&d->body),
                                         .headers = headers,
                                         .ca = d->webhook->route.ca,
                                         .client_certificate = d->webhook->route.client_certificate,
                                         .client_key = d->webhook->route.client_key,
                                         .proxy = d->webhook->route.proxy,
                                         .proxy_auth = d->route.proxy_auth,
                                         .allow_private = d->webhook->allow_private,
                                         .timeout_s = TIMEOUT_S,
                                         .redirects = FEED_REDIRECTS_NEVER,
                                         .status_only = true,
                                         .stop = d->parts->stop};
    int err = feed_fetch(&request, &response, why);
    if (err == ISG_ELIMIT)
        err = isg_fail(why, ISG_ENET, "the receiver's answer has too many headers");
    else if (err == ISG_OK)
        err = judge(d, &response, why);
    feed_response_done(&response);
    return err;
}

/* ---- the range of a delivery ---------------------------------------------------------------- */

/* The cursor passes what the range holds. */
static int pass(struct delivery *d, struct isg_fail *why)
{
    d->state.position = d->state.sending;
    d->state.sending = 0;
    return save(d, why);
}

/* Half of the delivery, under a key of its own; a single object that is too large is passed. */
static int shrink(struct delivery *d, struct isg_fail *why)
{
    if (d->page.count > 1 && !is_notice(d)) {
        d->state.sending = d->page.items[d->page.count / 2 - 1].position;
        return save(d, why);
    }
    if (is_notice(d))
        return isg_fail(why, ISG_EINVAL, "the receiver answered 413 to a notice");
    if (d->page.items[0].text.n < OUTBOX_LARGE) /* it may answer so to everything */
        return isg_fail(why, ISG_EINVAL, "the receiver answered 413 to one object of %zu bytes",
                        d->page.items[0].text.n);
    d->result.refused++;
    d->state.sent_refused++;
    (void)snprintf(d->state.last_refusal, sizeof d->state.last_refusal,
                   "%.*s: too large for the receiver", (int)d->page.items[0].id.n,
                   d->page.items[0].id.p);
    LOG(LOG_WARN, "webhook.refused", log_cstr("webhook", d->webhook->name),
        log_str("object", d->page.items[0].id));
    return pass(d, why);
}

static int deliver(struct delivery *d, struct isg_fail *why)
{
    int err = body_write(d, why);
    if (err == ISG_OK)
        err = post(d, why);
    if (err == ISG_ELIMIT)
        return shrink(d, why);
    if (err != ISG_OK)
        return err;
    d->result.total += d->count;
    d->result.deliveries++;
    d->state.sent += d->count;
    return pass(d, why);
}

/* Read a range of the log; a notice counts it to its end and keeps the first and the last item. */
static int read_range(struct delivery *d, uint64_t until, struct isg_fail *why)
{
    bool notice = is_notice(d);
    struct outbox_range range = {.after = d->state.position,
                                 .until = until,
                                 .limit = until != 0 || notice ? OUTBOX_PAGE : d->webhook->batch,
                                 .no_text = notice};
    struct outbox_item ends[2] = {{.position = 0}};
    d->count = 0;
    do {
        int err = outbox_read(&d->outbox, &range, d->arena, &d->bytes, &d->page, why);
        if (err != ISG_OK)
            return err;
        if (d->how->listing != NULL)
            outbox_list(&d->page, &d->listing, &d->listed);
        if (d->page.count > 0 && d->count == 0)
            ends[0] = d->page.items[0];
        if (d->page.count > 0)
            ends[1] = d->page.items[d->page.count - 1];
        d->count += d->page.count;
        range.after = d->page.end;
    } while (d->page.more && (notice || d->page.count == 0));
    if (notice && d->count > 0) {
        d->page.items = isg_arena_alloc(d->arena, sizeof ends);
        if (d->page.items == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory");
        memcpy(d->page.items, ends, sizeof ends);
        d->page.count = 2;
    }
    return ISG_OK;
}

/*
 * Take up the delivery that was begun, or begin the next: its end is kept before it is tried. A
 * begun one of which nothing is left is passed.
 */
static int take_up(struct delivery *d, struct isg_fail *why)
{
    struct state *state = &d->state;
    int err = read_range(d, state->sending, why);
    if (err != ISG_OK)
        return err;
    if (d->page.count == 0) {
        state->position = d->page.end;
        state->sending = 0;
        return ISG_OK;
    }
    uint64_t end = d->page.items[d->page.count - 1].position;
    bool begun = state->sending != 0;
    if (begun && !d->page.more)
        return ISG_OK;
    state->sending = end;
    return save(d, why);
}

static int walk(struct delivery *d, struct isg_fail *why)
{
    struct state *state = &d->state;
    state->more = false;
    for (;;) {
        bool begun = state->sending != 0;
        int err = take_up(d, why);
        if (err != ISG_OK || (d->page.count == 0 && !begun))
            return err;
        if (d->page.count == 0)
            continue;
        err = deliver(d, why);
        if (err != ISG_OK)
            return err;
        state->more = outgoing_is_over(d->parts, d->how);
        if (state->more)
            return ISG_OK;
    }
}

static int dry_walk(struct delivery *d, struct isg_fail *why)
{
    d->state.sending = 0;
    do {
        int err = read_range(d, 0, why);
        if (err != ISG_OK)
            return err;
        d->result.total += d->count;
        d->state.position = d->page.end;
    } while (d->page.more);
    return ISG_OK;
}

/* ---- a run ---------------------------------------------------------------------------------- */

static int run_in(struct delivery *d, struct isg_fail *why)
{
    const struct config_webhook *webhook = d->webhook;
    const struct outbox_target to = {webhook->name, webhook->member, webhook->url};
    int err = registry_collection(d->registry, (struct isg_str){0}, isg_str_of(webhook->collection),
                                  &d->collection, why);
    if (err == ISG_OK)
        err = secret_read(d, why);
    if (err == ISG_OK)
        err = route_open(d->parts->config->dir, &webhook->route, &d->route, why);
    if (err == ISG_OK)
        err = outbox_open(&d->outbox, d->parts, d->registry, d->collection, &to, why);
    if (err == ISG_OK)
        err = outbox_start(&d->outbox, &d->state, why);
    if (err == ISG_OK)
        err = d->how->dry_run ? dry_walk(d, why) : walk(d, why);
    return err;
}

static int run_whole(struct delivery *d, struct isg_fail *why)
{
    d->arena = isg_arena_new(ARENA_MAX);
    if (d->arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    isg_buf_init(&d->secret, HEADER_MAX);
    isg_buf_init(&d->bytes, ISG_BUF_NO_MAX);
    isg_buf_init(&d->body, ISG_BUF_NO_MAX);
    d->registry = directory_get(d->parts->directory);
    if (d->how->listing != NULL) {
        isg_jsonw_init(&d->listing, d->how->listing);
        isg_jsonw_list(&d->listing);
    }
    int err = run_in(d, why);
    if (d->how->listing != NULL)
        isg_jsonw_end(&d->listing);
    outbox_close(&d->outbox);
    secret_done(d);
    route_done(&d->route);
    registry_unref(&d->registry);
    isg_buf_done(&d->body);
    isg_buf_done(&d->bytes);
    isg_arena_free(&d->arena);
    return err;
}

int webhook_run(const struct sync_parts *parts, const struct config_webhook *webhook,
                const struct outgoing_how *how, struct webhook_result *out, struct state *out_state,
                struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_fail own = {.code = ISG_OK};
    struct state before = {.position = 0};
    struct delivery d = {.parts = parts, .webhook = webhook, .how = how, .state_name = name};
    int64_t start = isg_time_now_us();
    webhook_state_name(webhook, name);
    int err = state_load(parts->store, name, &before, &own);
    d.state = before;
    d.state.retry_after_s = 0;
    if (err == ISG_OK)
        err = run_whole(&d, &own);
    if (err == ISG_OK)
        state_succeeded(&d.state, start);
    else if (outgoing_is_stopping(parts))
        d.state.more = true; /* it goes on with the next start */
    else
        state_failed(&d.state, start, &own);
    d.state.total = d.state.added = d.result.total;
    d.state.refused = d.result.refused;
    if (!how->dry_run && (err != ISG_OK || state_is_news(&before, &d.state))) {
        int saved =
            lease_save(parts->lease, parts->store, name, &d.state, err == ISG_OK ? &own : NULL);
        err = err == ISG_OK ? saved : err;
    }
    *out = d.result;
    *out_state = d.state;
    if (err != ISG_OK && why != NULL)
        *why = own;
    return err;
}

void webhook_result_write(const struct config_webhook *webhook, const struct outgoing_how *how,
                          const struct webhook_result *result, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "webhook", webhook->name);
    isg_jsonw_put(&w, "state", "ok");
    isg_jsonw_put_bool(&w, "dry_run", how->dry_run);
    isg_jsonw_put(&w, "as", webhook->member != NULL ? webhook->member : "somebody nobody knows");
    isg_jsonw_put_int(&w, "total", (int64_t)result->total);
    isg_jsonw_put_int(&w, "deliveries", (int64_t)result->deliveries);
    isg_jsonw_put_int(&w, "refused", (int64_t)result->refused);
    if (how->dry_run && how->listing != NULL) {
        isg_jsonw_name(&w, "objects");
        isg_jsonw_raw(&w, isg_buf_str(how->listing));
    }
    isg_jsonw_end(&w);
}
