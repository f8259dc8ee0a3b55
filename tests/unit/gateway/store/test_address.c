#include <stddef.h>

#include "gateway/store/address.h"
#include "stix/base/str.h"
#include "stix/base/time.h"
#include "tests/support/tap.h"

struct row {
    const char *url;
    int err;
    const char *path;
    const char *host;
    const char *port;
    unsigned db;
};

static const struct row rows[] = {
    {"unix:/run/redis.sock", ISG_OK, "/run/redis.sock", NULL, "", 0},
    {"unix:///run/redis.sock", ISG_OK, "/run/redis.sock", NULL, "", 0},
    {"redis://127.0.0.1", ISG_OK, NULL, "127.0.0.1", "6379", 0},
    {"redis://localhost:7000/3", ISG_OK, NULL, "localhost", "7000", 3},
    {"redis://[::1]:7000", ISG_OK, NULL, "::1", "7000", 0},
    {"redis://isg@127.0.0.1:7000/", ISG_OK, NULL, "127.0.0.1", "7000", 0},
    {"redis://isg:secret@127.0.0.1:7000", ISG_ESTORE, NULL, NULL, "", 0},
    {"rediss://127.0.0.1:7000", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://h:0", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://h:65536", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://h:7000x", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://h:7000/x", ISG_ESTORE, NULL, NULL, "", 0},
    {"redis://[::1", ISG_ESTORE, NULL, NULL, "", 0},
    {"unix:relative", ISG_ESTORE, NULL, NULL, "", 0},
    {"127.0.0.1:6379", ISG_ESTORE, NULL, NULL, "", 0},
    {"", ISG_ESTORE, NULL, NULL, "", 0},
};

static void check_row(const struct row *row)
{
    struct address a = {0};
    struct isg_fail why = {0};
    is_int(address_read(row->url, NULL, &a, &why), row->err, "'%s'", row->url);
    if (row->err == ISG_OK) {
        is_str(a.path, row->path, "path");
        is_str(a.host, row->host, "host");
        is_str(a.port, row->port, "port");
        is_int(a.db, row->db, "db");
    }
    address_done(&a);
}

/* Plain TCP leaves the machine only where that very address is accepted. */
static void check_plain(void)
{
    struct address a = {0};
    struct isg_fail why = {0};
    int fd;
    is_int(address_read("redis://192.0.2.1:7000", NULL, &a, &why), ISG_OK, "an address elsewhere");
    is_int(address_connect(&a, isg_time_mono_us() + 100000, &fd, &why), ISG_ESTORE, "is refused");
    ok(isg_str_starts(isg_str_of(why.text), ISG_STR("redis://192.0.2.1:7000 is not on loopback")),
       "and says why: %s", why.text);
    address_done(&a);
    ok(address_read("redis://192.0.2.1:7000", "192.0.2.1:7000", &a, &why) == ISG_OK && a.accepted,
       "accepted by name");
    address_done(&a);
    ok(address_read("redis://192.0.2.1:7000", "192.0.2.1:7001", &a, &why) == ISG_OK && !a.accepted,
       "another port is another address");
    address_done(&a);
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
    check_plain();
    return tap_done();
}
