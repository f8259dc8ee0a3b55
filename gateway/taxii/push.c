/*
 * Adding objects and reading what became of them.
 */
#include "gateway/ingest/ingest.h"
#include "gateway/taxii/call.h"
#include "gateway/taxii/status.h"
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

/* Keep the status before anybody hears of it (T-096). */
static enum http_next keep_and_send(struct call *call, int64_t request_us,
                                    const struct ingest_outcome *outcomes, size_t n)
{
    struct taxii *taxii = call->taxii;
    char id[ISG_UUID_TEXT];
    struct isg_buf text;
    struct isg_buf owner;
    struct isg_fail why = {0};
    isg_uuid_random(id); /* T-003 */
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_init(&owner, OWNER_MAX);
    status_write(&text, id, request_us, outcomes, n);
    put_owner(&owner, call->member_name, call->root->path);
    int err =
        text.err != ISG_OK || owner.err != ISG_OK
            ? isg_fail(&why, ISG_ENOMEM, "out of memory")
            : store_status_put(taxii->parts.store, id, isg_buf_str(&owner), isg_buf_str(&text),
                               taxii->parts.config->limits.status_hours * 3600u, &why);
    isg_buf_done(&owner);
    if (err == ISG_OK)
        return call_send_buf(call, 202, &text); /* T-117 */
    isg_buf_done(&text);
    return call_failed(call, &why);
}

enum http_next call_push(struct call *call)
{
    if (!call->may_wait)
        return HTTP_WAIT;
    struct ingest_source source = {
        .name = call->member_name, .member = call->member, .mode = INGEST_AS_SENT};
    struct isg_fail why = {0};
    int64_t request_us = isg_time_now_us();
    struct ingest_run *run =
        ingest_begin(call->taxii->parts.store, call->collection, &source, true, false);
    int err = run != NULL ? ingest_envelope(run, http_body(call->request), &why)
                          : isg_fail(&why, ISG_ENOMEM, "out of memory");
    size_t n = 0;
    const struct ingest_outcome *outcomes = err == ISG_OK ? ingest_outcomes(run, &n) : NULL;
    if (err == ISG_OK && n == 0)
        err = isg_fail_at(&why, ISG_EINVAL, "/objects", "T-123", "the envelope holds no objects");
    enum http_next next = HTTP_DONE;
    http_note(call->request, ISG_STR(""), n);
    if (err == ISG_OK)
        next = keep_and_send(call, request_us, outcomes, n);
    else if (is_body_error(err))
        http_fail(call->request, 422, &why);
    else
        next = call_failed(call, &why); /* a repeat is harmless: what is there counts as success */
    ingest_end(&run);
    return next;
}

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
    int err = store_status_get(call->taxii->parts.store, id, &owner, &text, &why);
    if (err == ISG_OK && !may_read_status(call, isg_buf_str(&owner)))
        err = ISG_ENOENT;
    isg_buf_done(&owner);
    if (err == ISG_OK)
        return call_send_buf(call, 200, &text);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? call_not_found(call) : call_failed(call, &why);
}
