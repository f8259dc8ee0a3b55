/*
 * Adding objects and reading what became of them.
 */
#include "gateway/ingest/ingest.h"
#include "gateway/ingest/queue.h"
#include "gateway/ingest/status.h"
#include "gateway/taxii/call.h"
#include "stix/base/time.h"
#include "stix/base/uuid.h"

enum { OWNER_MAX = 256 };

/* A status belongs to an API root and to a member: "member@root". No name holds an '@'. */
static void put_owner(struct isg_buf *out, struct isg_str member, const char *root)
{
    isg_buf_put_str(out, member);
    isg_buf_putc(out, '@');
    isg_buf_puts(out, root);
}

/* Broken JSON, a bundle, too deep a body: all 422, nothing was stored (T-123, X-16). */
static bool is_body_error(int err)
{
    return err == ISG_EPARSE || err == ISG_EINVAL || err == ISG_ELIMIT;
}

static enum http_next refuse(struct call *call, const struct isg_fail *why)
{
    if (!is_body_error(why->code))
        return call_failed(call, why); /* a repeat is harmless: what is there counts as success */
    http_fail(call->request, 422, why);
    return HTTP_DONE;
}

/* ---- while the body arrives ----------------------------------------------------------------- */

static void drop_envelope(void *arg)
{
    struct call *call = arg; /* in the request's arena, which goes after this */
    ingest_envelope_free(&call->envelope);
}

static int begin_envelope(struct call *call, struct isg_fail *why)
{
    if (call->envelope != NULL)
        return ISG_OK;
    call->envelope = ingest_envelope_new();
    http_set_done(call->request, drop_envelope, call);
    return call->envelope != NULL ? ISG_OK : isg_fail(why, ISG_ENOMEM, "out of memory");
}

enum http_next call_take(struct call *call, struct isg_str piece)
{
    struct isg_fail why = {0};
    int err = begin_envelope(call, &why);
    if (err == ISG_OK)
        err = ingest_envelope_feed(call->envelope, piece, &why);
    return err == ISG_OK ? HTTP_MORE : refuse(call, &why);
}

/* ---- when it is there ----------------------------------------------------------------------- */

/* Within the request: the status is complete, and kept before anybody hears of it (T-096). */
static int store_now(struct call *call, const struct ingest_ticket *ticket, struct isg_buf *out,
                     struct isg_fail *why)
{
    struct taxii *taxii = call->taxii;
    struct ingest_source source = {
        .name = call->member_name, .member = call->member, .mode = INGEST_AS_SENT};
    struct ingest_run *run =
        ingest_begin(taxii->parts.store, call->collection, &source, true, false);
    int err = run != NULL ? ingest_envelope_run(run, call->envelope, why)
                          : isg_fail(why, ISG_ENOMEM, "out of memory");
    if (err == ISG_OK) {
        size_t n = 0;
        const struct ingest_outcome *outcomes = ingest_outcomes(run, &n);
        status_write(out, ticket->id, ticket->request_us, outcomes, n);
        err =
            out->err != ISG_OK
                ? isg_fail(why, ISG_ENOMEM, "out of memory")
                : store_status_put(taxii->parts.store, ticket->id, ticket->owner, isg_buf_str(out),
                                   taxii->parts.config->limits.status_hours * 3600u, why);
    }
    ingest_end(&run);
    return err;
}

static int take_in(struct call *call, struct isg_buf *out, struct isg_fail *why)
{
    char id[ISG_UUID_TEXT];
    struct isg_buf owner;
    struct ingest_ticket ticket = {.id = id,
                                   .member = call->member_name,
                                   .collection = call->collection,
                                   .request_us = isg_time_now_us()};
    isg_uuid_random(id); /* T-003 */
    isg_buf_init(&owner, OWNER_MAX);
    put_owner(&owner, call->member_name, call->root->path);
    ticket.owner = isg_buf_str(&owner);
    int err;
    if (owner.err != ISG_OK)
        err = isg_fail(why, ISG_ENOMEM, "out of memory");
    else if (ingest_queue_wants(call->taxii->parts.queue, call->envelope))
        err = ingest_queue_put(call->taxii->parts.queue, &ticket, call->envelope, out, why);
    else
        err = store_now(call, &ticket, out, why);
    isg_buf_done(&owner);
    return err;
}

enum http_next call_push(struct call *call)
{
    struct isg_buf status;
    struct isg_fail why = {0};
    if (!call->may_wait)
        return HTTP_WAIT;
    int err = begin_envelope(call, &why); /* an empty body brought none */
    if (err == ISG_OK)
        err = ingest_envelope_end(call->envelope, &why);
    isg_buf_init(&status, ISG_BUF_NO_MAX);
    if (err == ISG_OK) {
        http_note(call->request, ISG_STR(""), ingest_envelope_count(call->envelope));
        err = take_in(call, &status, &why);
    }
    if (err == ISG_OK)
        return call_send_buf(call, 202, &status); /* T-117 */
    isg_buf_done(&status);
    return refuse(call, &why);
}

/* ---- a status ------------------------------------------------------------------------------- */

/* Its owner's, or to be looked into by staff; for all others it does not exist (T-091, T-068). */
static bool may_read_status(const struct call *call, struct isg_str owner)
{
    size_t at = isg_str_find(owner, '@');
    if (at == SIZE_MAX || !isg_str_is(isg_str_from(owner, at + 1), call->root->path))
        return false;
    struct isg_str name = {owner.p, at};
    return call->member->kind == MEMBER_ISAO_STAFF || isg_str_eq(name, call->member_name);
}

enum http_next call_status(struct call *call)
{
    struct isg_str id = call->match.piece[ROUTE_STATUS];
    if (!isg_uuid_is_valid(id, NULL))
        return call_not_found(call);
    if (!call->may_wait)
        return HTTP_WAIT;
    struct isg_buf owner;
    struct isg_buf text;
    struct isg_fail why = {0};
    isg_buf_init(&owner, OWNER_MAX);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = ingest_status(call->taxii->parts.store, id, &owner, &text, &why);
    if (err == ISG_OK && !may_read_status(call, isg_buf_str(&owner)))
        err = ISG_ENOENT;
    isg_buf_done(&owner);
    if (err == ISG_OK)
        return call_send_buf(call, 200, &text);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? call_not_found(call) : call_failed(call, &why);
}
