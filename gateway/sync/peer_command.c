/* A run of a peer by command: the definition comes as JSON and lives for the run only. */
#include <string.h>

#include "feeds/fetch.h"
#include "gateway/sync/peer_run.h"
#include "gateway/sync/sync_private.h"
#include "stix/base/arena.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum { LISTING_MAX = 1 << 20 };

/* NUL-terminated copies of the texts of a definition. */
struct texts {
    struct isg_arena *arena;
    bool failed;
};

static char *text_of(struct texts *texts, const struct stix_json *json, const char *name)
{
    struct isg_str text = stix_json_get_str(json, name);
    if (text.n == 0)
        return NULL;
    char *copy = isg_arena_copy(texts->arena, text);
    texts->failed = texts->failed || copy == NULL || strlen(copy) != text.n;
    return copy;
}

static struct config_route route_read(struct texts *texts, const struct stix_json *json)
{
    return (struct config_route){
        .header_file = text_of(texts, json, "header_file"),
        .ca = text_of(texts, json, "ca"),
        .client_certificate = text_of(texts, json, "client_certificate"),
        .client_key = text_of(texts, json, "client_key"),
        .proxy = text_of(texts, json, "proxy"),
        .proxy_auth_file = text_of(texts, json, "proxy_auth_file"),
    };
}

/* What is not known is refused: a wish that is passed over may be the one that mattered. */
static int check_members(const struct stix_json *json, struct isg_fail *why)
{
    static const char *const known[] = {"direction",     "url",         "from",
                                        "collection",    "member",      "user",
                                        "password_file", "header_file", "ca",
                                        "client_key",    "proxy",       "client_certificate",
                                        "allow_private", "dry_run",     "proxy_auth_file"};
    struct stix_json_walk walk;
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            found = found || strcmp(walk.name, known[i]) == 0;
        if (!found)
            return isg_fail(why, ISG_EINVAL, "`%.64s` is no setting of a peer", walk.name);
    }
    return ISG_OK;
}

static int def_read(const struct stix_json *json, struct texts *texts, struct peer_def *out,
                    struct isg_fail *why)
{
    struct isg_fail url_why = {.code = ISG_OK};
    struct isg_str direction = stix_json_get_str(json, "direction");
    *out = (struct peer_def){.name = "peer",
                             .push = isg_str_is(direction, "push"),
                             .url = text_of(texts, json, "url"),
                             .from = text_of(texts, json, "from"),
                             .collection = text_of(texts, json, "collection"),
                             .member = text_of(texts, json, "member"),
                             .user = text_of(texts, json, "user"),
                             .password_file = text_of(texts, json, "password_file"),
                             .route = route_read(texts, json),
                             .allow_private = stix_json_bool(stix_json_get(json, "allow_private"))};
    if (texts->failed)
        return isg_fail(why, ISG_EINVAL, "a text cannot be used");
    if (check_members(json, why) != ISG_OK)
        return ISG_EINVAL;
    if (!out->push && !isg_str_is(direction, "pull"))
        return isg_fail_at(why, ISG_EINVAL, "/direction", NULL, "pull or push");
    if (out->url == NULL || out->from == NULL || out->collection == NULL)
        return isg_fail(why, ISG_EINVAL, "url, from and collection are needed");
    if (feed_url_check(out->url, out->allow_private, &url_why) != ISG_OK)
        return isg_fail_at(why, ISG_EINVAL, "/url", "R-079", "%s", url_why.text);
    return ISG_OK;
}

void peer_result_write(const struct peer_def *def, const struct outgoing_how *how,
                       const struct peer_result *result, struct isg_buf *out)
{
    bool lists = def->push && how->dry_run && how->listing != NULL;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "direction", def->push ? "push" : "pull");
    isg_jsonw_put(&w, "state", result->pending > 0 ? "pending" : "ok");
    isg_jsonw_put_bool(&w, "dry_run", how->dry_run);
    if (def->push)
        isg_jsonw_put(&w, "as", def->member != NULL ? def->member : "a peer nobody knows");
    isg_jsonw_put_int(&w, "total", (int64_t)result->total);
    isg_jsonw_put_int(&w, "added", (int64_t)result->added);
    isg_jsonw_put_int(&w, "same", (int64_t)result->same);
    isg_jsonw_put_int(&w, "refused", (int64_t)result->refused);
    isg_jsonw_put_int(&w, "pending", (int64_t)result->pending);
    isg_jsonw_put(&w, "first_failure",
                  result->first_failure[0] != '\0' ? result->first_failure : NULL);
    if (lists) {
        isg_jsonw_name(&w, "objects");
        isg_jsonw_raw(&w, isg_buf_str(how->listing));
    }
    isg_jsonw_end(&w);
}

static int run(struct sync *sync, const struct peer_def *def, bool dry_run, struct isg_buf *out,
               struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_buf listing;
    struct peer_result result = {.total = 0};
    struct state state;
    struct lease lease;
    struct sync_parts parts = sync->parts;
    bool held = false;
    parts.stop = &lease.stop;
    parts.lease = &lease;
    isg_buf_init(&listing, LISTING_MAX);
    const struct outgoing_how how = {.dry_run = dry_run, .listing = dry_run ? &listing : NULL};
    peer_state_name(def, name);
    int err = lease_take(&sync->leases, &lease, name, &held, why);
    if (err == ISG_OK && !held)
        err = isg_fail(why, ISG_EBUSY, "this peer is running now");
    if (err == ISG_OK) {
        err = peer_run(&parts, def, &how, &result, &state, why);
        lease_drop(&sync->leases, &lease);
    }
    if (err == ISG_OK)
        peer_result_write(def, &how, &result, out);
    isg_buf_done(&listing);
    return err;
}

/* One more run is under way; false when the service is stopping. */
static bool begin(struct sync *sync)
{
    (void)pthread_mutex_lock(&sync->lock);
    bool may = !sync->stopping;
    sync->running += may ? 1 : 0;
    (void)pthread_mutex_unlock(&sync->lock);
    return may;
}

static void end(struct sync *sync)
{
    (void)pthread_mutex_lock(&sync->lock);
    sync->running--;
    (void)pthread_cond_broadcast(&sync->moved);
    (void)pthread_mutex_unlock(&sync->lock);
}

int sync_peer_run(struct sync *sync, struct isg_str json, struct isg_buf *out, struct isg_fail *why)
{
    if (!begin(sync))
        return isg_fail(why, ISG_EBUSY, "the service is stopping");
    struct stix_json *tree = NULL;
    struct texts texts = {.arena = isg_arena_new(1 << 20)};
    struct peer_def def;
    int err = texts.arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory")
                                  : stix_json_parse(json, NULL, &tree, why);
    if (err == ISG_OK)
        err = def_read(tree, &texts, &def, why);
    if (err == ISG_OK)
        err = run(sync, &def, stix_json_bool(stix_json_get(tree, "dry_run")), out, why);
    stix_json_free(&tree);
    isg_arena_free(&texts.arena);
    end(sync);
    return err;
}
