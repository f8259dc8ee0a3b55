#include "feeds/sensor_words.h"

#include <stddef.h>
#include <stdint.h>

#include "feeds/text.h"

static const char *const transports[] = {"tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "sctp",
                                         "gre", "esp", "ah",   "igmp",   "ipip",      NULL};
static const char *const services[] = {
    "http",       "http2", "https",    "ssl",     "tls",    "quic",  "websocket",
    "dns",        "mdns",  "llmnr",    "dhcp",    "ntp",    "snmp",  "ssh",
    "telnet",     "ftp",   "ftp-data", "tftp",    "smtp",   "imap",  "pop3",
    "smb",        "nfs",   "dcerpc",   "dce_rpc", "krb",    "krb5",  "krb_tcp",
    "krb_udp",    "ntlm",  "gssapi",   "ldap",    "radius", "rdp",   "rfb",
    "vnc",        "sip",   "mqtt",     "irc",     "xmpp",   "mysql", "pgsql",
    "postgresql", "mssql", "redis",    "modbus",  "dnp3",   "enip",  "s7comm",
    "bacnet",     "dicom", "hl7",      "ike",     "ikev2",  "ipsec", "openvpn",
    "wireguard",  "socks", "syslog",   "teredo",  "ayiya",  "gtpv1", "bittorrent-dht",
    NULL};

/* Some sensors write the number of a protocol that has a name (IANA). */
static const struct {
    uint64_t number;
    const char *name;
} numbered[] = {
    {1, "icmp"}, {2, "igmp"}, {4, "ipip"}, {6, "tcp"},        {17, "udp"},
    {47, "gre"}, {50, "esp"}, {51, "ah"},  {58, "ipv6-icmp"}, {132, "sctp"},
};

static bool is_among(const char *const *words, struct isg_str text)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (isg_str_is(text, words[i]))
            return true;
    }
    return false;
}

/* A name of the list, or several of it between commas; in lower case. Else nothing. */
static struct isg_str known(struct isg_arena *arena, struct isg_str text, const char *const *words)
{
    struct isg_str lower = text_lower(arena, text);
    struct isg_str rest = lower;
    struct isg_str one;
    while (isg_str_split(&rest, ',', &one)) {
        if (!is_among(words, one))
            return (struct isg_str){0};
    }
    return lower;
}

struct isg_str sensor_transport(struct isg_arena *arena, struct isg_str text)
{
    uint64_t number = 0;
    bool is_number = isg_str_to_u64(text, 255, &number);
    for (size_t i = 0; is_number && i < sizeof numbered / sizeof numbered[0]; i++) {
        if (numbered[i].number == number)
            return isg_str_of(numbered[i].name);
    }
    return known(arena, text, transports);
}

struct isg_str sensor_service(struct isg_arena *arena, struct isg_str text)
{
    return known(arena, text, services);
}

/* A word that begins with a capital, as the modules and types of Zeek do. */
static bool is_title(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_')
            return false;
    }
    return text.n > 0 && text.p[0] >= 'A' && text.p[0] <= 'Z';
}

static bool is_number(struct isg_str text)
{
    uint64_t ignored;
    return isg_str_to_u64(text, UINT32_MAX, &ignored);
}

bool sensor_is_rule(struct isg_str text)
{
    struct isg_str rest = text;
    struct isg_str part[4] = {{NULL, 0}};
    size_t n = 0;
    while (n < 4 && isg_str_split(&rest, ':', &part[n]))
        n++;
    if (n != 3)
        return false;
    return (is_number(part[0]) && is_number(part[1]) && is_number(part[2])) ||
           (is_title(part[0]) && part[1].n == 0 && is_title(part[2]));
}
