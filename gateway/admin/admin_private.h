/*
 * Shared by the files of this room: the parts, one request being answered, and small helpers.
 */
#ifndef GATEWAY_ADMIN_ADMIN_PRIVATE_H
#define GATEWAY_ADMIN_ADMIN_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/admin/admin.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

struct admin {
    struct admin_parts parts;
    int64_t started_us; /* wall clock */
};

/* One request: what a handler gets. Handlers may wait. */
struct admin_call {
    struct admin *admin;
    struct http_request *request;
    struct isg_str name;   /* the path segment that `*` stood for, decoded; or empty */
    struct isg_buf *reply; /* JSON or text; sent when the handler returns ISG_OK */
    int status;            /* 200 unless the handler sets another */
};

/* A handler: ISG_OK with call->reply filled, or an error with why. */
typedef int admin_handler(struct admin_call *call, struct isg_fail *why);

/* A query parameter, decoded, into the request's arena; p NULL when absent. */
struct isg_str admin_param(const struct admin_call *call, const char *name);

/* As admin_param, a number with a default and an upper bound; ISG_EINVAL on anything else. */
int admin_param_u64(const struct admin_call *call, const char *name, uint64_t fallback,
                    uint64_t max, uint64_t *out, struct isg_fail *why);

/* The collection a query parameter names; borrowed from registry. */
int admin_param_collection(const struct admin_call *call, const struct registry *registry,
                           const struct collection **out, struct isg_fail *why);

/* health.c: is the process alive, ready; what does it hold. */
admin_handler admin_healthz;
admin_handler admin_readyz;
admin_handler admin_metrics;
admin_handler admin_status;

/* doctor.c: what is wrong with its surroundings. */
admin_handler admin_doctor;

/* registry.c: members and collections. */
admin_handler admin_members_list;
admin_handler admin_members_add;
admin_handler admin_members_show;
admin_handler admin_members_set;
admin_handler admin_members_token;
admin_handler admin_members_revoke;
admin_handler admin_collections_list;
admin_handler admin_collections_add;
admin_handler admin_collections_set;

/* data.c: objects in and out. */
admin_handler admin_ingest;
admin_handler admin_export;
admin_handler admin_statement;

/* feeds.c: sources and peers. */
admin_handler admin_feeds_list;
admin_handler admin_feeds_add;
admin_handler admin_feeds_remove;
admin_handler admin_feeds_run;
admin_handler admin_peers_run;
admin_handler admin_peers_run_named;
admin_handler admin_webhooks_run;

#endif
