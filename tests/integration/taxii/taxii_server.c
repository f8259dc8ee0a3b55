/*
 * A TAXII server for tests: the real store (with its private redis-server), directory, login, HTTP
 * and TAXII rooms in one folder, on a free loopback port, without the command line.
 *
 *     taxii_server DIR
 *
 * Prints {"port":N} when it listens, then obeys one command a line on standard input and answers
 * one line each: `member JSON`, `collection JSON` (make or change), `token NAME`, `refresh`,
 * `metrics`.
 * It ends with standard input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/http.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/share/auth.h"
#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "gateway/taxii/taxii.h"
#include "gateway/trust/secret.h"
#include "gateway/worker.h"
#include "stix/base/jsonw.h"

struct server {
    struct config config;
    struct config_root roots[2];
    char dir[512];
    char secret_path[600];
    struct trust_secret *secret;
    struct store *store;
    struct directory *directory;
    struct auth *auth;
    struct worker_pool *workers;
    struct taxii *taxii;
    struct http_listener *listener;
};

static char api[] = "api";
static char api_title[] = "Sharing";
static char api_description[] = "The first API root";
static char other[] = "other";
static char other_title[] = "Another";
static char name[] = "Test \"ISAO\"";
static char public_url[] = "https://taxii.example:8443";

static void configure(struct server *s, const char *dir)
{
    (void)snprintf(s->dir, sizeof s->dir, "%s", dir);
    (void)snprintf(s->secret_path, sizeof s->secret_path, "%s/secret.key", dir);
    s->roots[0] = (struct config_root){api, api_title, api_description};
    s->roots[1] = (struct config_root){other, other_title, NULL};
    s->config.dir = s->dir;
    s->config.name = name;
    s->config.public_url = public_url;
    s->config.roots = s->roots;
    s->config.roots_count = 2;
    s->config.redis.timeout_ms = 4000;
    s->config.limits.max_content_length = 262144;
    s->config.limits.page_max = 50;
    s->config.limits.cache_bytes = 8 << 20;
    s->config.limits.status_hours = 24;
}

static int open_rooms(struct server *s, struct isg_fail *why)
{
    struct store_options store = {.dir = s->dir, .timeout_ms = 4000};
    int err = store_open(&store, &s->store, why);
    if (err == ISG_OK)
        err = trust_secret_open(s->secret_path, &s->secret, why);
    if (err == ISG_OK)
        err = directory_open(s->store, &s->config, s->secret, &s->directory, why);
    if (err != ISG_OK)
        return err;
    s->auth = auth_new(s->secret);
    s->workers = worker_pool_new("test", 4, 256);
    struct taxii_parts parts = {&s->config, s->store, s->directory, s->auth, s->secret, NULL};
    s->taxii = taxii_new(&parts);
    if (s->auth == NULL || s->workers == NULL || s->taxii == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    return ISG_OK;
}

static int start_listening(struct server *s, struct isg_fail *why)
{
    struct http_listen where = {.host_port = "127.0.0.1:0"};
    struct http_limits limits = {.body_max = s->config.limits.max_content_length,
                                 .header_max = 16384,
                                 .target_max = 8192,
                                 .connections = 200,
                                 .connections_per_address = 200,
                                 .header_timeout_ms = 10000,
                                 .body_timeout_ms = 10000,
                                 .idle_timeout_ms = 60000,
                                 .threads = 2};
    struct http_app app = {
        .arg = s->taxii, .head = taxii_head, .body = taxii_body, .run = taxii_run};
    return http_listen(&where, &limits, &app, s->workers, &s->listener, why);
}

static void close_rooms(struct server *s)
{
    http_listener_close(&s->listener, 2000);
    worker_pool_free(&s->workers);
    taxii_free(&s->taxii);
    auth_free(&s->auth);
    directory_close(&s->directory);
    trust_secret_free(&s->secret);
    store_close(&s->store);
}

/* The text of /metrics as a JSON string, so that it is one line. */
static int tell_metrics(struct isg_buf *out)
{
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, 65536);
    metrics_write(&text);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_str(&w, "text", isg_buf_str(&text));
    isg_jsonw_end(&w);
    isg_buf_done(&text);
    return out->err;
}

static int obey(struct server *s, struct isg_str line, struct isg_buf *out, struct isg_fail *why)
{
    struct isg_str command;
    (void)isg_str_split(&line, ' ', &command);
    if (isg_str_is(command, "member"))
        return directory_put_member(s->directory, line, false, out, why);
    if (isg_str_is(command, "collection"))
        return directory_put_collection(s->directory, line, false, out, why);
    if (isg_str_is(command, "token"))
        return directory_member_token(s->directory, line, ISG_STR("{\"label\":\"test\"}"), out,
                                      why);
    if (isg_str_is(command, "refresh"))
        return directory_refresh(s->directory, why);
    if (isg_str_is(command, "metrics"))
        return tell_metrics(out);
    return isg_fail(why, ISG_EUSAGE, "unknown command");
}

static void serve_commands(struct server *s)
{
    static char line[65536];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct isg_buf out;
        struct isg_fail why = {0};
        isg_buf_init(&out, 65536);
        int err = obey(s, isg_str_trim(isg_str_of(line)), &out, &why);
        if (err == ISG_OK)
            (void)printf("%s\n", out.len > 0 ? out.p : "{}");
        else
            (void)printf("error %s %s\n", why.text, why.path);
        (void)fflush(stdout);
        isg_buf_done(&out);
    }
}

int main(int argc, char **argv)
{
    static struct server server;
    struct isg_fail why = {0};
    if (argc != 2)
        return 64;
    log_setup(LOG_WARN, LOG_JSON);
    configure(&server, argv[1]);
    int err = open_rooms(&server, &why);
    if (err == ISG_OK)
        err = start_listening(&server, &why);
    if (err == ISG_OK) {
        (void)printf("{\"port\":%u}\n", http_listener_port(server.listener));
        (void)fflush(stdout);
        serve_commands(&server);
    } else {
        (void)fprintf(stderr, "taxii_server: %s\n", why.text);
    }
    close_rooms(&server);
    return err == ISG_OK ? 0 : 1;
}
