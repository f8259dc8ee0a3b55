/* The service: every part made in order, run until a signal, taken down in reverse. */
#define _GNU_SOURCE /* pipe-free waiting: sigtimedwait is POSIX, prctl is not */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "feeds/fetch.h"
#include "gateway/admin/admin.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/join.h"
#include "gateway/http/http.h"
#include "gateway/log.h"
#include "gateway/networks.h"
#include "gateway/secret_files.h"
#include "gateway/share/auth.h"
#include "gateway/sync/sync.h"
#include "gateway/taxii/taxii.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/secret.h"
#include "gateway/worker.h"

enum {
    ADMIN_BODY_MAX = 64 << 20,
    ADMIN_CONNECTIONS = 64,
    QUEUE_MAX = 1024,
    STOP_GRACE_MS = 10000,
    REFRESH_MS = 250,   /* rights changed at another gateway count here within a second */
    LOGINS_AT_ONCE = 2, /* argon2id takes a core and 64 MiB each */
    FEEDS_AT_ONCE = 6,  /* runs of feeds and peers: most of their time they wait */
    LISTENERS_MAX = CONFIG_LISTENERS_MAX + 1
};

/* Everything that runs, in the order it is made. */
struct service {
    struct cli *cli;
    struct config *config;
    struct trust_secret *secret;
    struct trust_key *content_key;
    struct store *store;
    struct directory *directory;
    struct auth *auth;
    const char *differs; /* what other gateways on the store have otherwise; NULL: nothing */
    struct worker_pool *workers;
    struct worker_pool *admin_workers;
    struct worker_pool *login_workers;
    struct worker_pool *feed_workers;
    struct sync *sync;
    struct ingest_queue *queue;
    struct taxii *taxii;
    struct admin *admin;
    struct networks *proxies;
    struct http_listener *listeners[LISTENERS_MAX]; /* of members */
    unsigned listeners_count;
    struct http_listener *admin_socket;
    struct http_listener *admin_tcp;
};

/* Secrets are in this process: no core file, no reading by others of the same user. */
static void harden(void)
{
    const struct rlimit none = {0, 0};
    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Threads inherit the mask: signals are taken by the main thread's wait alone. */
static void block_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Tell a service manager, if there is one (sd_notify's protocol is one datagram). */
static void notify(const char *state)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets it */
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, n);
    (void)close(fd);
}

static int open_log(const struct config *config, struct isg_fail *why)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"auto", "json", "text"};
    for (int level = 0; level < 4; level++)
        for (int format = 0; format < 3; format++)
            if (strcmp(config->log.level, levels[level]) == 0 &&
                strcmp(config->log.format, formats[format]) == 0) {
                log_setup((enum log_level)level, (enum log_format)format);
                return ISG_OK;
            }
    return isg_fail(why, ISG_EUSAGE, "log: unknown level or format");
}

static int open_trust(struct service *s, struct isg_fail *why)
{
    char path[PATH_MAX];
    int err = trust_start(why);
    (void)snprintf(path, sizeof path, "%s/secrets/instance.secret", s->config->dir);
    if (err == ISG_OK)
        err = trust_secret_open(path, &s->secret, why);
    if (err == ISG_OK)
        err = cli_content_key(s->cli, s->config, &s->content_key, why);
    return err;
}

static int open_store(struct service *s, struct isg_fail *why)
{
    const struct store_options options = {.dir = s->config->dir,
                                          .url = s->config->redis.url,
                                          .password_file = s->config->redis.password_file,
                                          .accept_plain = s->config->redis.accept_plain,
                                          .timeout_ms = s->config->redis.timeout_ms,
                                          .second =
                                              strcmp(s->config->redis.durability, "second") == 0,
                                          .replicas = s->config->redis.replicas};
    return store_open(&options, &s->store, why);
}

static const char *throttle_path(const struct service *s, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/state/throttle", s->config->dir);
    return path;
}

static int open_share(struct service *s, struct isg_fail *why)
{
    int err = directory_open(s->store, s->config, s->secret, &s->directory, why);
    const struct joining joining = {s->config, s->store, s->directory, s->secret};
    if (err == ISG_OK)
        err = join_plant_seed(&joining, why);
    if (err == ISG_OK)
        err = join_agree(&joining, &s->differs, why);
    if (err != ISG_OK)
        return err;
    s->auth = auth_new(s->secret);
    if (s->auth == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    char path[PATH_MAX];
    auth_load(s->auth, throttle_path(s, path));
    return ISG_OK;
}

static size_t worker_count(const struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (config->limits.workers > 0)
        return config->limits.workers;
    return cores > 0 ? (size_t)cores * 4 : 4;
}

/*
 * Four pools: a flood of members' requests must not keep the operator out, one of wrong passwords,
 * which cost much to verify, not the members who are logged in, and sources that let wait nobody.
 */
static int open_workers(struct service *s, struct isg_fail *why)
{
    s->workers = worker_pool_new("taxii", worker_count(s->config), QUEUE_MAX);
    s->admin_workers = worker_pool_new("admin", 4, QUEUE_MAX);
    s->login_workers = worker_pool_new("login", LOGINS_AT_ONCE, QUEUE_MAX);
    s->feed_workers = worker_pool_new("feeds", FEEDS_AT_ONCE, QUEUE_MAX);
    if (s->workers == NULL || s->admin_workers == NULL || s->login_workers == NULL ||
        s->feed_workers == NULL)
        return isg_fail(why, ISG_ENOMEM, "cannot start the workers");
    const struct sync_parts parts = {.config = s->config,
                                     .store = s->store,
                                     .directory = s->directory,
                                     .workers = s->feed_workers};
    return sync_start(&parts, &s->sync, why);
}

static int open_queue(struct service *s, struct isg_fail *why)
{
    const struct ingest_queue_parts parts = {.store = s->store,
                                             .directory = s->directory,
                                             .objects_now = s->config->limits.objects_now,
                                             .status_s = s->config->limits.status_hours * 3600u};
    return ingest_queue_start(&parts, &s->queue, why);
}

static struct http_limits member_limits(const struct config *config)
{
    return (struct http_limits){.body_max = config->limits.max_content_length,
                                .header_max = 16384,
                                .target_max = 8192,
                                .connections = config->limits.connections,
                                .connections_per_address = config->limits.connections_per_address,
                                .header_timeout_ms = config->limits.header_timeout_ms,
                                .body_timeout_ms = config->limits.body_timeout_ms,
                                .idle_timeout_ms = config->limits.idle_timeout_ms,
                                .listeners = config->listeners_count + 1};
}

static enum http_client_certificates certificates_of(const char *word)
{
    if (strcmp(word, "none") == 0)
        return HTTP_CERTIFICATES_NONE;
    return strcmp(word, "required") == 0 ? HTTP_CERTIFICATES_REQUIRED : HTTP_CERTIFICATES_OPTIONAL;
}

static int open_listener(struct service *s, const struct config_listener *config,
                         struct isg_fail *why)
{
    const struct http_app app = {.arg = s->taxii,
                                 .head = taxii_head,
                                 .body = taxii_body,
                                 .run = taxii_run,
                                 .slow_workers = s->login_workers};
    const struct http_limits limits = member_limits(s->config);
    struct http_listen where = {.host_port = config->address, .proxies = s->proxies};
    if (config->tls) {
        where.certificate = s->config->tls.certificate;
        where.key = s->config->tls.key;
        where.client_ca = s->config->tls.client_ca;
        where.client_crl = s->config->tls.client_crl;
        where.client_certificates = certificates_of(config->client_certificates);
    }
    int err =
        http_listen(&where, &limits, &app, s->workers, &s->listeners[s->listeners_count], why);
    s->listeners_count += err == ISG_OK;
    return err;
}

static int open_listeners(struct service *s, struct isg_fail *why)
{
    const struct config *config = s->config;
    const struct config_listener first = {config->listen, config->tls.certificate != NULL,
                                          config->tls.client_certificates};
    int err = ISG_OK;
    if (config->trusted_proxies != NULL)
        err = networks_parse(isg_str_of(config->trusted_proxies), &s->proxies, why);
    if (err == ISG_OK)
        err = open_listener(s, &first, why);
    for (unsigned i = 0; i < config->listeners_count && err == ISG_OK; i++)
        err = open_listener(s, &config->listeners[i], why);
    return err;
}

static int open_taxii(struct service *s, struct isg_fail *why)
{
    const struct taxii_parts parts = {.config = s->config,
                                      .store = s->store,
                                      .directory = s->directory,
                                      .auth = s->auth,
                                      .secret = s->secret,
                                      .queue = s->queue};
    s->taxii = taxii_new(&parts);
    if (s->taxii == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    return open_listeners(s, why);
}

static int open_admin(struct service *s, struct isg_fail *why)
{
    const struct admin_parts parts = {.config = s->config,
                                      .store = s->store,
                                      .directory = s->directory,
                                      .sync = s->sync,
                                      .differs = s->differs};
    char socket[108];
    s->admin = admin_new(&parts);
    if (s->admin == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    struct http_app app = {.arg = s->admin, .head = admin_head, .run = admin_run};
    struct http_limits limits = member_limits(s->config);
    limits.body_max = ADMIN_BODY_MAX;
    limits.connections = ADMIN_CONNECTIONS;
    limits.connections_per_address = ADMIN_CONNECTIONS;
    limits.threads = 1;
    const struct http_listen local = {.unix_path =
                                          cli_socket_path(s->config->admin.socket, socket)};
    int err = http_listen(&local, &limits, &app, s->admin_workers, &s->admin_socket, why);
    if (err != ISG_OK || s->config->admin.listen == NULL)
        return err;
    const struct http_listen tcp = {.host_port = s->config->admin.listen};
    app.run = admin_public_run;
    limits.body_max = 0;
    return http_listen(&tcp, &limits, &app, s->admin_workers, &s->admin_tcp, why);
}

static int service_open(struct service *s, struct isg_fail *why)
{
    static int (*const steps[])(struct service *, struct isg_fail *) = {
        open_trust, open_store, open_share, open_workers, open_queue, open_taxii, open_admin};
    int err = open_log(s->config, why);
    secret_files_tell(s->config);
    if (err == ISG_OK)
        err = feed_fetch_start(why);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && err == ISG_OK; i++)
        err = steps[i](s, why);
    return err;
}

/* No accept, finish what is in flight, flush, then the store: the reverse of making it. */
static void service_close(struct service *s)
{
    sync_halt(s->sync);
    for (unsigned i = 0; i < s->listeners_count; i++)
        http_listener_close(&s->listeners[i], STOP_GRACE_MS);
    networks_free(&s->proxies);
    http_listener_close(&s->admin_tcp, 1000);
    http_listener_close(&s->admin_socket, STOP_GRACE_MS);
    sync_stop(&s->sync);
    ingest_queue_stop(&s->queue);
    worker_pool_free(&s->workers);
    worker_pool_free(&s->admin_workers);
    worker_pool_free(&s->login_workers);
    worker_pool_free(&s->feed_workers);
    admin_free(&s->admin);
    taxii_free(&s->taxii);
    auth_free(&s->auth);
    directory_close(&s->directory);
    store_close(&s->store);
    trust_key_free(&s->content_key);
    trust_secret_free(&s->secret);
    feed_fetch_stop();
    config_free(&s->config);
}

/* Certificates again, each listener for itself: one that cannot be read leaves the old one. */
static void reload_certificates(struct service *s)
{
    struct isg_fail why = {0};
    int err = ISG_OK;
    for (unsigned i = 0; i < s->listeners_count && err == ISG_OK; i++)
        err = http_listener_reload(s->listeners[i], &why);
    if (s->config->tls.certificate == NULL)
        return;
    if (err == ISG_OK)
        LOG(LOG_INFO, "tls.reloaded", log_cstr("certificate", s->config->tls.certificate));
    else
        LOG(LOG_ERROR, "tls.kept", log_why(&why));
}

/* Has anything changed that this process does not take over while it runs? */
static bool is_same_config(const struct config *a, const struct config *b)
{
    struct isg_buf left, right;
    isg_buf_init(&left, ISG_BUF_NO_MAX);
    isg_buf_init(&right, ISG_BUF_NO_MAX);
    config_show_json(a, &left);
    config_show_json(b, &right);
    bool same = isg_str_eq(isg_buf_str(&left), isg_buf_str(&right));
    isg_buf_done(&left);
    isg_buf_done(&right);
    return same;
}

/*
 * SIGHUP: certificates and the log's settings are taken over at once, all else at the next start.
 * A configuration that is broken changes nothing but is told of.
 */
static void reload(struct service *s)
{
    struct isg_fail why = {0};
    struct config *fresh = NULL;
    reload_certificates(s);
    secret_files_tell(s->config);
    int err = config_load(s->config->dir, &fresh, &why);
    if (err == ISG_OK)
        err = open_log(fresh, &why);
    if (err != ISG_OK)
        LOG(LOG_ERROR, "config.kept", log_why(&why));
    else if (!is_same_config(s->config, fresh))
        LOG(LOG_WARN, "config.changed",
            log_cstr("note", "log settings are in force; the others will be at the next start"));
    else
        LOG(LOG_INFO, "config.same", log_cstr("dir", s->config->dir));
    config_free(&fresh);
}

/* Now and again: did another gateway change members? What is worth keeping for the next start? */
static void look_around(struct service *s)
{
    char path[PATH_MAX];
    struct isg_fail why = {0};
    (void)directory_refresh(s->directory, NULL);
    if (auth_save(s->auth, throttle_path(s, path), &why) != ISG_OK)
        LOG(LOG_WARN, "throttle.not_kept", log_why(&why));
}

/* Until SIGTERM or SIGINT: look again and again whether another gateway changed members. */
static void service_run(struct service *s, const sigset_t *signals)
{
    const struct timespec pause = {.tv_nsec = (long)REFRESH_MS * 1000000};
    for (;;) {
        int signal_number = sigtimedwait(signals, NULL, &pause);
        if (signal_number == SIGTERM || signal_number == SIGINT)
            break;
        if (signal_number == SIGHUP)
            reload(s);
        else if (signal_number < 0 && errno == EAGAIN)
            look_around(s);
    }
    look_around(s);
}

int cli_serve(struct cli *cli)
{
    struct service service = {.cli = cli};
    struct isg_fail why = {0};
    sigset_t signals;
    int code = cli_arguments(cli, NULL, 0, 0, 0);
    if (code != 0)
        return code;
    harden();
    block_signals(&signals);
    int err = cli_config_load(cli, NULL, &service.config, &why);
    if (err != ISG_OK)
        return cli_fail(cli, &why);
    err = service_open(&service, &why);
    if (err == ISG_OK) {
        LOG(LOG_INFO, "service.ready", log_cstr("version", ISG_VERSION),
            log_cstr("listen", service.config->listen), log_cstr("dir", service.config->dir));
        notify("READY=1");
        service_run(&service, &signals);
        LOG(LOG_INFO, "service.stopping", log_cstr("dir", service.config->dir));
        notify("STOPPING=1");
    } else {
        LOG(LOG_ERROR, "service.failed", log_why(&why));
        code = cli->wrong_config ? CLI_CONFIG : isg_err_exit(err);
    }
    service_close(&service);
    return code;
}
