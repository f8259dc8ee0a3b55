/* Settings: defaults, values, and what must be refused with key and line. */
#define _GNU_SOURCE /* mkdtemp, setenv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/config.h"
#include "tests/support/tap.h"

static char folder[] = "/tmp/isg-test-config-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "w");
    fwrite(text, 1, n, f);
    fclose(f);
}

static int load(const char *text, struct config **out, struct isg_fail *why)
{
    write_file(text, strlen(text));
    return config_load(folder, out, why);
}

#define FEED \
    "feeds:\n  - name: kev\n    url: https://kev.example/\n    format: kev\n    collection: c\n"
#define PEER \
    "peers:\n  - name: p\n    direction: pull\n    url: https://t.example/\n    from: a\n    collection: c\n"

/*
 * Files that are not taken: fixtures/config/refused.txt. Each begins behind a line "== TEXT", and the
 * message must have that text in it.
 */
static void check_refused(const char *says, const char *yaml, size_t n)
{
    struct config *config = NULL;
    struct isg_fail why = {0};
    write_file(yaml, n);
    int err = config_load(folder, &config, &why);
    ok(err == ISG_EUSAGE && config == NULL && strstr(why.text, says) != NULL,
       "refused with \"%s\": %s", says, why.text);
    config_free(&config);
}

static void test_refused(void)
{
    size_t cases = 0;
    char *text = tap_slurp(ISG_FIXTURES "/config/refused.txt", NULL);
    char *rest = text;
    while (rest != NULL && strncmp(rest, "== ", 3) == 0) {
        char *says = rest + 3;
        char *yaml = says + strcspn(says, "\n");
        *yaml++ = '\0';
        char *end = strstr(yaml, "\n== ");
        size_t n = end != NULL ? (size_t)(end + 1 - yaml) : strlen(yaml);
        check_refused(says, yaml, n);
        rest = end != NULL ? end + 1 : NULL;
        cases++;
    }
    ok(cases > 0, "there are files that are refused");
    free(text);
}

static void test_defaults(void)
{
    struct config *c = NULL;
    struct isg_fail why = {0};
    if (!ok(load("", &c, &why) == ISG_OK, "an empty file is a whole configuration %s", why.text))
        return;
    is_str(c->listen, "127.0.0.1:8443", "listen");
    is_str(c->public_url, "http://127.0.0.1:8443", "public_url follows listen");
    ok(strncmp(c->id_urn, "urn:uuid:", 9) == 0, "a namespace");
    is_int(c->limits.max_content_length, 10485760, "max_content_length");
    is_int(c->limits.page_max, 1000, "page_max");
    is_int(c->limits.connections, 1024, "connections");
    is_int(c->limits.connections_per_address, 256, "connections_per_address");
    is_int(c->limits.header_timeout_ms, 10000, "header_timeout_ms");
    is_int(c->limits.idle_timeout_ms, 60000, "idle_timeout_ms");
    is_int(c->limits.cache_bytes, 134217728, "cache_bytes");
    is_int(c->limits.status_hours, 48, "status_hours");
    ok(c->redis.url == NULL && c->tls.key == NULL, "private store, no TLS");
    is_int(c->roots_count, 1, "one API root");
    is_str(c->roots[0].path, "api", "which is api");
    is_int(c->feeds_count, 0, "no feeds");
    ok(strncmp(c->admin.socket, c->dir, strlen(c->dir)) == 0, "paths are below the folder");
    config_free(&c);
}

static const char full[] =
    "name: Example ISAO\nlisten: 0.0.0.0:8443\npublic_url: https://isao.example\n"
    "id_urn: urn:uuid:0a7c1c0e-5d0f-4d3e-9a2e-6f0d6a1b2c3d\n"
    "tls: {certificate: tls/cert.pem, key: /etc/isg/key.pem}\n"
    "redis:\n  url: unix:run/redis.sock\n  password_file: ~\n"
    "limits:\n  max_content_length: 1 MiB\n  body_timeout_ms: 5s\n  connections: 10\n"
    "log:\n" /* all of it left out */
    FEED "    interval: 15m\n    allow_private: true\n"
    "  - {name: b, url: 'https://b.example/', format: csaf, collection: d, interval: 90}\n" PEER
    "    user: u\n    password_file: secrets/p\n";

static void test_values(void)
{
    struct config *c = NULL;
    struct isg_fail why = {0};
    char want[128];
    if (!ok(load(full, &c, &why) == ISG_OK, "all kinds of settings are read %s", why.text))
        return;
    is_str(c->name, "Example ISAO", "text");
    is_str(c->public_url, "https://isao.example", "URL");
    (void)snprintf(want, sizeof want, "%s/tls/cert.pem", c->dir);
    is_str(c->tls.certificate, want, "a relative path");
    is_str(c->tls.key, "/etc/isg/key.pem", "an absolute path");
    (void)snprintf(want, sizeof want, "unix:%s/run/redis.sock", c->dir);
    is_str(c->redis.url, want, "a relative socket");
    ok(c->redis.password_file == NULL, "null is left out");
    is_int(c->limits.max_content_length, 1048576, "bytes with a unit");
    is_int(c->limits.body_timeout_ms, 5000, "time with a unit");
    is_str(c->log.level, "info", "an empty section has its defaults");
    is_int(c->feeds_count, 2, "two feeds");
    is_int(c->feeds[0].interval_s, 900, "15m");
    is_int(c->feeds[1].interval_s, 90, "90 seconds");
    ok(c->feeds[0].allow_private && !c->feeds[1].allow_private, "true or false");
    is_int(c->peers_count, 1, "one peer");
    is_int(c->peers[0].interval_s, 900, "a list's default");
    is_str(c->peers[0].direction, "pull", "a choice");
    config_free(&c);
}

static void test_environment(void)
{
    struct config *c = NULL;
    struct isg_fail why = {0};
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    setenv("ISG_LIMITS_PAGE_MAX", "77", 1);
    setenv("ISG_NAME", "From outside", 1);
    ok(load("name: In the file\n\nlog:\n  format: json\n", &c, &why) == ISG_OK,
       "environment beside file");
    is_int(c->limits.page_max, 77, "the environment overrides a default");
    is_str(c->name, "From outside", "and a value of the file");
    config_show(c, &text);
    ok(strstr(text.p, "  page_max: 77  # env, ISG_LIMITS_PAGE_MAX\n") != NULL, "shown as such");
    ok(strstr(text.p, "  format: json  # file, line 4\n") != NULL, "the file's line is shown");
    ok(strstr(text.p, "  level: info  # default\n") != NULL, "a default is shown");
    config_free(&c);
    setenv("ISG_LIMITS_PAGE_MAX", "many", 1);
    is_int(load("", &c, &why), ISG_EUSAGE, "a wrong value in the environment is refused");
    ok(strstr(why.text, "ISG_LIMITS_PAGE_MAX") != NULL, "by its name: %s", why.text);
    unsetenv("ISG_LIMITS_PAGE_MAX");
    unsetenv("ISG_NAME");
    isg_buf_done(&text);
}

/* What is printed can be read again. */
static void test_round_trip(void)
{
    struct config *c = NULL;
    struct isg_fail why = {0};
    struct isg_buf first;
    struct isg_buf second;
    struct isg_buf example;
    isg_buf_init(&first, ISG_BUF_NO_MAX);
    isg_buf_init(&second, ISG_BUF_NO_MAX);
    isg_buf_init(&example, ISG_BUF_NO_MAX);
    (void)load(full, &c, &why);
    config_show(c, &first);
    config_free(&c);
    ok(load(first.p, &c, &why) == ISG_OK, "what was shown is read %s", why.text);
    config_show(c, &second);
    config_free(&c);
    ok(strstr(second.p, "https://b.example/") != NULL, "with its lists");
    config_example(&example);
    ok(load(example.p, &c, &why) == ISG_OK, "the example is read %s", why.text);
    is_int(c->limits.page_max, 1000, "and holds the defaults");
    config_free(&c);
    isg_buf_reset(&example);
    config_reference(&example);
    ok(strstr(example.p, "| `limits.page_max` | number | 1000 | 1 to 10000 |") != NULL,
       "the reference lists a setting");
    isg_buf_done(&first);
    isg_buf_done(&second);
    isg_buf_done(&example);
}

static void test_hostile(void)
{
    struct config *c = NULL;
    struct isg_fail why = {0};
    size_t n = 1100000;
    char *big = malloc(n);
    memset(big, '#', n);
    write_file(big, n);
    is_int(config_load(folder, &c, &why), ISG_EUSAGE, "a file over 1 MiB is refused");
    memset(big, '[', 100000);
    write_file(big, 100000);
    is_int(config_load(folder, &c, &why), ISG_EUSAGE, "deep nesting is refused");
    write_file("name: a\0b\n", 10);
    is_int(config_load(folder, &c, &why), ISG_EUSAGE, "a NUL byte is refused");
    unlink(path);
    is_int(config_load(folder, &c, &why), ISG_EIO, "a missing file is named");
    is_int(config_load("/nonexistent", &c, &why), ISG_EIO, "a missing folder too");
    free(big);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        tap_skip_all("no temporary folder");
    (void)snprintf(path, sizeof path, "%s/isg.yaml", folder);
    test_defaults();
    test_values();
    test_refused();
    test_environment();
    test_round_trip();
    test_hostile();
    rmdir(folder);
    return tap_done();
}
