#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "feeds/address.h"
#include "tests/support/tap.h"

/* what a feed or a redirect may not lead to. */
static const struct {
    const char *text;
    bool is_public;
} rows[] = {
    {"8.8.8.8", true},
    {"1.1.1.1", true},
    {"11.0.0.1", true},
    {"172.32.0.1", true},
    {"100.128.0.1", true},
    {"0.0.0.0", false},
    {"0.1.2.3", false},
    {"10.0.0.1", false},
    {"100.64.0.1", false},
    {"100.127.255.255", false},
    {"127.0.0.1", false},
    {"127.255.255.254", false},
    {"169.254.169.254", false},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"192.168.1.1", false},
    {"192.0.2.1", false},
    {"198.51.100.7", false},
    {"203.0.113.9", false},
    {"198.18.0.1", false},
    {"224.0.0.1", false},
    {"240.0.0.1", false},
    {"255.255.255.255", false},
    {"2606:4700::1111", true},
    {"::ffff:8.8.8.8", true},
    {"64:ff9b::808:808", true},
    {"::", false},
    {"::1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:169.254.169.254", false},
    {"::127.0.0.1", false},
    {"64:ff9b::7f00:1", false},
    {"2002:7f00:1::", false},
    {"2001:db8::1", false},
    {"fc00::1", false},
    {"fd12::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"ff02::1", false},
};

static socklen_t address_of(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

int main(void)
{
    struct sockaddr_storage address;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        socklen_t n = address_of(rows[i].text, &address);
        ok(n > 0, "%s is an address", rows[i].text);
        is_int(address_is_public((struct sockaddr *)&address, n), rows[i].is_public, "%s public",
               rows[i].text);
    }
    socklen_t n = address_of("127.9.9.9", &address);
    ok(address_is_loopback((struct sockaddr *)&address, n), "127/8 is loopback");
    n = address_of("::ffff:127.0.0.1", &address);
    ok(address_is_loopback((struct sockaddr *)&address, n), "mapped loopback is loopback");
    n = address_of("10.0.0.1", &address);
    ok(!address_is_loopback((struct sockaddr *)&address, n), "private is not loopback");
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    ok(!address_is_public((struct sockaddr *)&un, sizeof un), "another family is not public");
    ok(!address_is_public((struct sockaddr *)&address, 4), "a cut address is not public");
    return tap_done();
}
