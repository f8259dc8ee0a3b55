/* Sources and peers: sync/ does the work. */
#include "gateway/admin/admin_private.h"

int admin_feeds_list(struct admin_call *call, struct isg_fail *why)
{
    return sync_feeds_write(call->admin->parts.sync, call->reply, why);
}

int admin_feeds_add(struct admin_call *call, struct isg_fail *why)
{
    call->status = 201;
    return sync_feed_put(call->admin->parts.sync, http_body(call->request), call->reply, why);
}

int admin_feeds_remove(struct admin_call *call, struct isg_fail *why)
{
    int err = sync_feed_remove(call->admin->parts.sync, call->name, why);
    if (err == ISG_OK)
        isg_buf_puts(call->reply, "{}");
    return err;
}

static int run_named(struct admin_call *call, const char *kind, struct isg_fail *why)
{
    uint64_t dry_run, accept;
    int err = admin_param_u64(call, "dry_run", 0, 1, &dry_run, why);
    if (err == ISG_OK)
        err = admin_param_u64(call, "accept_shrink", 0, 1, &accept, why);
    if (err != ISG_OK)
        return err;
    const struct sync_how how = {dry_run != 0, accept != 0};
    return sync_run(call->admin->parts.sync, kind, call->name, &how, call->reply, why);
}

int admin_feeds_run(struct admin_call *call, struct isg_fail *why)
{
    return run_named(call, "feed", why);
}

int admin_peers_run_named(struct admin_call *call, struct isg_fail *why)
{
    return run_named(call, "peer", why);
}

int admin_webhooks_run(struct admin_call *call, struct isg_fail *why)
{
    return run_named(call, "webhook", why);
}

int admin_peers_run(struct admin_call *call, struct isg_fail *why)
{
    return sync_peer_run(call->admin->parts.sync, http_body(call->request), call->reply, why);
}
