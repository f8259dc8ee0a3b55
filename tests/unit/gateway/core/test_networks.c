/* Lists of networks, and the one form of an address. */
#include "gateway/networks.h"
#include "tests/support/tap.h"

static void check_lists(void)
{
    static const struct {
        const char *list, *address;
        bool within;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.0.0.2", false},
        {"127.0.0.1", "::ffff:127.0.0.1", true},
        {"10.0.0.0/8, 192.0.2.0/25", "10.255.0.1", true},
        {"10.0.0.0/8, 192.0.2.0/25", "192.0.2.127", true},
        {"10.0.0.0/8 192.0.2.0/25", "192.0.2.128", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/8", "unix", false},
        {"10.0.0.0/8", "", false},
        {"", "10.0.0.1", false},
    };
    static const char *const wrong[] = {"proxy.example", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/",
                                        "10.0.0.0/-1",   "10.0.0",     "::/129",      "1.2.3.4,x"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct networks *networks = NULL;
        struct isg_fail why;
        is_int(networks_parse(isg_str_of(rows[i].list), &networks, &why), ISG_OK, "'%s'",
               rows[i].list);
        ok(networks_have(networks, isg_str_of(rows[i].address)) == rows[i].within, "%s is %s",
           rows[i].address, rows[i].within ? "within" : "not");
        networks_free(&networks);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct networks *networks = NULL;
        struct isg_fail why;
        is_int(networks_parse(isg_str_of(wrong[i]), &networks, &why), ISG_EUSAGE, "'%s' is none",
               wrong[i]);
    }
    ok(!networks_have(NULL, ISG_STR("10.0.0.1")), "no list holds nothing");
}

static void check_forms(void)
{
    static const struct {
        const char *text, *form;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::FFFF:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"192.0.2.1 ", NULL},
        {"192.0.2.01x", NULL},
        {"a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[NETWORKS_ADDRESS_TEXT] = "";
        ok(networks_address(isg_str_of(rows[i].text), out) == (rows[i].form != NULL), "'%s'",
           rows[i].text);
        if (rows[i].form != NULL)
            is_str(out, rows[i].form, "in its form");
    }
    ok(networks_is_loopback(ISG_STR("127.9.0.1")) && networks_is_loopback(ISG_STR("::1")) &&
           !networks_is_loopback(ISG_STR("10.0.0.1")) && !networks_is_loopback(ISG_STR("unix")),
       "loopback");
}

static void check_subscribers(void)
{
    static const struct {
        const char *address, *form;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
        {"2001:db8:1:2::9", "2001:db8:1:2::"},
        {"2001:db8:1:3::9", "2001:db8:1:3::"},
        {"unix", "unix"},
        {"", ""},
        {"no address, and a text longer than any of them is",
         "no address, and a text longer than any of them"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[NETWORKS_ADDRESS_TEXT];
        networks_subscriber(isg_str_of(rows[i].address), out);
        ok(strncmp(out, rows[i].form, NETWORKS_ADDRESS_TEXT - 1) == 0, "'%s' counts as '%s'",
           rows[i].address, out);
    }
}

int main(void)
{
    check_lists();
    check_forms();
    check_subscribers();
    return tap_done();
}
