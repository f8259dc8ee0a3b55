/*
 * A little server over gateway/http for the raw-request table: prints "port N" (one line), serves
 * until its standard input ends.
 *
 *   http_echo [--cert F --key F [--ca F] | --tls DIR] [--unix PATH] [--listen HOST:PORT]
 *             [name=value of a limit ...]
 *
 * With --tls it makes its certificate itself (DIR/ca.pem, cert.pem, key.pem); a line "renew" on the
 * standard input makes and loads another, "spoil" loads a broken one.
 *
 * GET and HEAD of /taxii2/ 200; /wait/ 200 from a worker; /slow/ 200 from a worker after 2 s;
 * /big/ 1 MiB; /who/ peer and certificate; POST 202 with the length of the body, to /wait/ from a
 * worker, to /denied/ 401 before the body; else 404 or 405.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/http/certificate.h"
#include "gateway/http/http.h"
#include "gateway/log.h"
#include "stix/base/jsonw.h"

static struct http_bytes *big;

static void answer(struct http_request *request, int status, const char *text)
{
    http_status(request, status);
    http_set_header(request, "Content-Type", ISG_STR("application/taxii+json;version=2.1"));
    http_send_copy(request, isg_str_of(text));
}

static void fail(struct http_request *request, int status, int code)
{
    struct isg_fail why;
    (void)isg_fail(&why, code, "%s", isg_strerror(code));
    http_fail(request, status, &why);
}

static void who(struct http_request *request)
{
    const struct http_certificate *certificate = http_client_certificate(request);
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&text, 1 << 16);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put_str(&w, "peer", http_peer(request));
    isg_jsonw_put_str(&w, "certificate", certificate->fingerprint);
    isg_jsonw_put_str(&w, "issuer", certificate->issuer);
    isg_jsonw_put_str(&w, "names", certificate->names);
    isg_jsonw_end(&w);
    isg_buf_putc(&text, '\0');
    answer(request, 200, text.err == ISG_OK ? text.p : "{}");
    isg_buf_done(&text);
}

static enum http_next head(void *arg, struct http_request *request, bool may_wait)
{
    struct isg_str path = http_path(request);
    (void)arg;
    http_name(request, "echo", ISG_STR("nobody"));
    if (isg_str_is(path, "/denied/")) {
        if (!may_wait && isg_str_is(http_query(request), "wait"))
            return HTTP_WAIT;
        fail(request, 401, ISG_EAUTH);
        return HTTP_DONE;
    }
    return HTTP_MORE;
}

static enum http_next run_get(struct http_request *request, bool may_wait)
{
    struct isg_str path = http_path(request);
    bool slow = isg_str_is(path, "/slow/");
    if ((slow || isg_str_is(path, "/wait/")) && !may_wait)
        return HTTP_WAIT;
    if (slow) {
        struct timespec pause = {.tv_sec = 2};
        (void)nanosleep(&pause, NULL);
    }
    if (slow || isg_str_is(path, "/wait/") || isg_str_is(path, "/taxii2/")) {
        answer(request, 200, "{\"title\":\"echo\"}");
    } else if (isg_str_is(path, "/big/")) {
        http_status(request, 200);
        http_send(request, big);
    } else if (isg_str_is(path, "/who/")) {
        who(request);
    } else {
        fail(request, 404, ISG_ENOENT);
    }
    return HTTP_DONE;
}

static enum http_next run(void *arg, struct http_request *request, bool may_wait)
{
    char text[64];
    (void)arg;
    if (http_method(request) == HTTP_GET || http_method(request) == HTTP_HEAD)
        return run_get(request, may_wait);
    if (http_method(request) != HTTP_POST) {
        fail(request, 405, ISG_EUSAGE);
        return HTTP_DONE;
    }
    if (isg_str_is(http_path(request), "/wait/") && !may_wait)
        return HTTP_WAIT;
    (void)snprintf(text, sizeof text, "{\"bytes\":%zu}", http_body(request).n);
    answer(request, 202, text);
    return HTTP_DONE;
}

static void set_limit(struct http_limits *limits, const char *text)
{
    const struct {
        const char *name;
        size_t *size;
        unsigned *number;
    } rows[] = {
        {"body_max", &limits->body_max, NULL},
        {"header_max", &limits->header_max, NULL},
        {"target_max", &limits->target_max, NULL},
        {"connections", NULL, &limits->connections},
        {"per_address", NULL, &limits->connections_per_address},
        {"header_ms", NULL, &limits->header_timeout_ms},
        {"body_ms", NULL, &limits->body_timeout_ms},
        {"idle_ms", NULL, &limits->idle_timeout_ms},
        {"threads", NULL, &limits->threads},
    };
    const char *equals = strchr(text, '=');
    uint64_t value = 0;
    for (size_t i = 0; equals != NULL && i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) != (size_t)(equals - text) ||
            strncmp(rows[i].name, text, (size_t)(equals - text)) != 0 ||
            !isg_str_to_u64(isg_str_of(equals + 1), UINT32_MAX, &value))
            continue;
        if (rows[i].size != NULL)
            *rows[i].size = (size_t)value;
        else
            *rows[i].number = (unsigned)value;
    }
}

/* ---- a certificate of its own ---- */

static struct {
    char ca[256];
    char certificate[256];
    char key[256];
} made;

static void write_file(char path[256], const char *folder, const char *name, struct isg_str text)
{
    (void)snprintf(path, 256, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return;
    (void)fwrite(text.p, 1, text.n, file);
    (void)fclose(file);
}

static void make_certificate(const char *folder, bool spoilt)
{
    static const char *const hosts[] = {"127.0.0.1", NULL};
    struct certificate_set set;
    struct isg_fail why;
    if (certificate_make("Echo", hosts, &set, &why) != ISG_OK)
        return;
    if (!spoilt) {
        write_file(made.ca, folder, "ca.pem", isg_buf_str(&set.ca));
        write_file(made.certificate, folder, "cert.pem", isg_buf_str(&set.certificate));
    }
    write_file(made.key, folder, "key.pem", spoilt ? ISG_STR("no key") : isg_buf_str(&set.key));
    certificate_set_done(&set);
}

static const char *read_arguments(int argc, char **argv, struct http_listen *where,
                                  struct http_limits *limits)
{
    const char *folder = NULL;
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--cert") == 0)
            where->certificate = next;
        else if (strcmp(argv[i], "--key") == 0)
            where->key = next;
        else if (strcmp(argv[i], "--ca") == 0)
            where->client_ca = next;
        else if (strcmp(argv[i], "--unix") == 0)
            where->unix_path = next;
        else if (strcmp(argv[i], "--listen") == 0)
            where->host_port = next;
        else if (strcmp(argv[i], "--tls") == 0)
            folder = next;
        else
            set_limit(limits, argv[i]);
    }
    if (folder != NULL) {
        make_certificate(folder, false);
        where->certificate = made.certificate;
        where->key = made.key;
    }
    return folder;
}

/* Obeys lines until the input ends. */
static void serve(struct http_listener *listener, const char *folder)
{
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct isg_fail why;
        if (folder != NULL)
            make_certificate(folder, strcmp(line, "spoil\n") == 0);
        int err = http_listener_reload(listener, &why);
        (void)printf("%s\n", err == ISG_OK ? "ok" : why.text);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    const struct http_app app = {.head = head, .run = run};
    struct http_listen where = {.host_port = "127.0.0.1:0"};
    struct http_limits limits = {.threads = 2};
    struct http_listener *listener = NULL;
    struct isg_fail why;
    char *bytes = malloc(1 << 20);
    if (bytes == NULL)
        return 1;
    memset(bytes, 'x', 1 << 20);
    big = http_bytes_take(bytes, 1 << 20);
    const char *folder = read_arguments(argc, argv, &where, &limits);
    log_setup(LOG_WARN, LOG_JSON);
    (void)signal(SIGPIPE, SIG_IGN);
    struct worker_pool *workers = worker_pool_new("echo", 2, 4);
    if (http_listen(&where, &limits, &app, workers, &listener, &why) != ISG_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        worker_pool_free(&workers);
        http_bytes_unref(&big);
        return 1;
    }
    (void)printf("port %u %s\n", http_listener_port(listener),
                 http_layout_check_on() ? "layout" : "rules");
    (void)fflush(stdout);
    serve(listener, folder);
    http_listener_close(&listener, 1000);
    worker_pool_free(&workers);
    http_bytes_unref(&big);
    return 0;
}
