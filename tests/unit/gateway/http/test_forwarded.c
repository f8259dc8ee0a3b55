/* Who asks behind proxies: the rightmost address that is no trusted proxy. */
#include "gateway/http/forwarded.h"
#include "tests/support/tap.h"

int main(void)
{
    static const struct {
        const char *peer, *said, *client;
    } rows[] = {
        {"203.0.113.7", "192.0.2.1", "203.0.113.7"}, /* no proxy: not believed */
        {"10.0.0.1", "", "10.0.0.1"},                /* the proxy itself asks */
        {"10.0.0.1", "192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "198.51.100.9, 192.0.2.1", "192.0.2.1"}, /* the left part is invented */
        {"10.0.0.1", "198.51.100.9,192.0.2.1,10.0.0.2", "192.0.2.1"}, /* two proxies */
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},               /* nothing but proxies */
        {"10.0.0.1", "192.0.2.1:4711", "192.0.2.1"},
        {"10.0.0.1", "[2001:DB8::1]:4711", "2001:db8::1"},
        {"10.0.0.1", "2001:db8::1", "2001:db8::1"},
        {"10.0.0.1", "\"[2001:db8::1]\"", "2001:db8::1"},
        {"10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1, unknown", "10.0.0.1"}, /* what cannot be read ends it */
        {"10.0.0.1", "192.0.2.1, ", "10.0.0.1"},
        {"10.0.0.1", "]", "10.0.0.1"},
        {"10.0.0.1", "[", "10.0.0.1"},
        {"10.0.0.1", "192.0.2.1, _hidden, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", ",,,", "10.0.0.1"},
        {"unix", "192.0.2.1", "unix"},
    };
    struct networks *proxies = NULL;
    struct isg_fail why;
    is_int(networks_parse(ISG_STR("10.0.0.0/8"), &proxies, &why), ISG_OK, "proxies");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[NETWORKS_ADDRESS_TEXT];
        forwarded_client(proxies, isg_str_of(rows[i].said), isg_str_of(rows[i].peer), out);
        is_str(out, rows[i].client, "%s says %s", rows[i].peer, rows[i].said);
    }
    networks_free(&proxies);
    return tap_done();
}
