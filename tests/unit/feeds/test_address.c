#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "feeds/address.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static size_t seen[2]; /* rows that are not public, and that are */

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

/* what a feed or a redirect may not lead to. "yes" or "no", and the address. */
static void check_row(struct isg_str line, size_t number)
{
    struct sockaddr_storage address;
    struct isg_str expect;
    (void)isg_str_split(&line, '\t', &expect);
    bool is_public = isg_str_is(expect, "yes");
    char text[INET6_ADDRSTRLEN];
    (void)snprintf(text, sizeof text, "%.*s", ISG_STR_ARG(line));
    socklen_t n = address_of(text, &address);
    ok(n > 0, "line %zu: %s is an address", number, text);
    is_int(address_is_public((struct sockaddr *)&address, n), is_public, "%s public", text);
    seen[is_public]++;
}

int main(void)
{
    struct sockaddr_storage address;
    cases_each("feeds/address/public-cases.tsv", check_row);
    ok(seen[0] > 0 && seen[1] > 0, "addresses that are public and that are not");
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
