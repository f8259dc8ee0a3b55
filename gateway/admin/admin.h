/*
 * The admin listener's application: health, readiness, metrics, and the JSON API behind `isg
 * member`, `isg collection`, `isg import`, `isg export`, `isg feed`, `isg peer` and `isg status`.
 * It is served on a Unix socket (mode 0600: who may open it may do everything) and, where the
 * configuration says so, on loopback TCP, where only health, readiness and metrics answer.
 *
 *   GET    /healthz                       200 while the process lives
 *   GET    /readyz                        200 or 503 with {"ready":bool,"description",
 *                                         "checks":{...}}
 *   GET    /metrics                       Prometheus text
 *   GET    /admin/v1/status               version, uptime, store, collections with counts
 *   GET    /admin/v1/doctor               checks with fix hints
 *   GET    /admin/v1/members              {"members":[...]}
 *   POST   /admin/v1/members              make (409 when there); body as directory_put_member
 *   GET    /admin/v1/members/NAME
 *   PUT    /admin/v1/members/NAME         change
 *   POST   /admin/v1/members/NAME/token   as directory_member_token
 *   DELETE /admin/v1/members/NAME/token?token=ID|LABEL -> {"revoked"}
 *   GET    /admin/v1/collections          {"collections":[...]}
 *   POST   /admin/v1/collections          make; body as directory_put_collection
 *   PUT    /admin/v1/collections/NAME     change; NAME is id, alias or title
 *   POST   /admin/v1/ingest?collection=C&source=S&mode=sent|mapped&dry_run=1
 *                                         records (admin_wire.h) -> {"total","added","same",
 *                                         "refused","reasons":[...]}
 *   GET    /admin/v1/export?collection=C&as=MEMBER&after=N&limit=N&version=last|all
 *                                         a line of JSON {"collection","count","more","after",
 *                                         "levels","tlp"}, then the objects' canonical texts, one a
 *                                         line; levels are theirs in this order, tlp the strictest
 *   POST   /admin/v1/collections/NAME/statement
 *                                         {"iss","collection","epoch","seq"}: a new number for the
 *                                         statement over an export
 *   GET    /admin/v1/feeds · POST · DELETE /admin/v1/feeds/NAME · POST /admin/v1/feeds/NAME/run
 *   POST   /admin/v1/peers/run            as sync_peer_run
 *   POST   /admin/v1/peers/NAME/run       one of the configuration, now
 *   POST   /admin/v1/webhooks/NAME/run    likewise
 *
 * Errors are error resources as the TAXII listener's, with details {"path","rule"}.
 */
#ifndef GATEWAY_ADMIN_ADMIN_H
#define GATEWAY_ADMIN_ADMIN_H

#include "gateway/config.h"
#include "gateway/http/http.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/sync/sync.h"

struct admin;

struct admin_parts { /* all borrowed, all outlive it */
    const struct config *config;
    struct store *store;
    struct directory *directory;
    struct sync *sync;
    const char *differs; /* what other gateways on the store have otherwise; NULL: nothing */
};

/* Copies parts. NULL without memory. */
struct admin *admin_new(const struct admin_parts *parts);
/* After the listeners that call it have been closed; accepts NULL, leaves NULL. */
void admin_free(struct admin **admin);

/* The functions for http_listen; arg is the struct admin. */
enum http_next admin_head(void *arg, struct http_request *request, bool may_wait);
/* Answer: on a listener thread what needs no wait, with may_wait the rest. */
enum http_next admin_run(void *arg, struct http_request *request, bool may_wait);

/* Likewise for the TCP listener: health, readiness, metrics; 404 for all else. */
enum http_next admin_public_run(void *arg, struct http_request *request, bool may_wait);

#endif
