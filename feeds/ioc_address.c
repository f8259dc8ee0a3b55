/*
 * Addresses, ranges, and addresses with a port (feeds digest 3.2).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "feeds/ioc_kinds.h"

enum { WIDEST_V4 = 8, WIDEST_V6 = 19, ADDRESS_TEXT = 46 };

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const uint8_t address[16])
{
    return memcmp(address, mapped_prefix, sizeof mapped_prefix) == 0;
}

/*
 * The 16 bytes of either family. inet_pton takes four decimal octets without leading zeros only,
 * and no zone: just what the digest asks for.
 */
static bool parse(struct isg_str text, uint8_t out[16])
{
    char copy[ADDRESS_TEXT];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    memcpy(out, mapped_prefix, sizeof mapped_prefix);
    return inet_pton(AF_INET, copy, out + 12) == 1 || inet_pton(AF_INET6, copy, out) == 1;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952, 4.2). */
static void longest_run(const unsigned groups[8], int *out_at, int *out_count)
{
    *out_at = -1;
    *out_count = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && groups[i + n] == 0)
            n++;
        if (n > *out_count) {
            *out_at = i;
            *out_count = n;
        }
        i += n;
    }
}

static struct isg_str v6_text(struct isg_arena *arena, const uint8_t address[16])
{
    unsigned groups[8];
    int run_at, run_count;
    char text[ADDRESS_TEXT];
    size_t n = 0;
    for (size_t i = 0; i < 8; i++)
        groups[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    longest_run(groups, &run_at, &run_count);
    for (int i = 0; i < 8; i++) {
        if (i == run_at) {
            n += (size_t)snprintf(text + n, sizeof text - n, "::");
            i += run_count - 1;
        } else {
            const char *colon = n == 0 || text[n - 1] == ':' ? "" : ":";
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%x", colon, groups[i]);
        }
    }
    return isg_str_of(isg_arena_copy(arena, (struct isg_str){text, n}));
}

struct isg_str ioc_address_text(struct isg_arena *arena, const uint8_t address[16])
{
    if (!is_v4(address))
        return v6_text(arena, address);
    return isg_str_of(
        isg_arena_printf(arena, "%u.%u.%u.%u", address[12], address[13], address[14], address[15]));
}

bool ioc_read_address(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    uint8_t address[16];
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (struct isg_str){text.p + 1, text.n - 2};
    if (!parse(text, address))
        return ioc_refuse(reader, "not an IP address");
    out->kind = is_v4(address) ? IOC_IPV4 : IOC_IPV6;
    out->value = ioc_address_text(reader->arena, address);
    memcpy(out->first, address, sizeof out->first);
    memcpy(out->last, address, sizeof out->last);
    out->has_range = true;
    return true;
}

/* Clear (or set) the bits behind the prefix; true when that changed something. */
static bool fill_behind(uint8_t address[16], unsigned bits, bool set)
{
    bool changed = false;
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
        unsigned mask = kept >= 8 ? 0 : 0xffU >> kept;
        unsigned cleared = address[i] & (0xffU ^ mask);
        uint8_t wanted = (uint8_t)(set ? cleared | mask : cleared);
        changed = changed || wanted != address[i];
        address[i] = wanted;
    }
    return changed;
}

/* The prefix length of text in bits of 128; false when it does not fit the family. */
static bool prefix_bits(struct isg_str text, bool dotted, unsigned *out)
{
    uint64_t n;
    if (!isg_str_to_u64(text, dotted ? 32 : 128, &n) || (text.n > 1 && text.p[0] == '0'))
        return false;
    *out = (unsigned)n + (dotted ? 96 : 0);
    return true;
}

bool ioc_read_range(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    uint8_t address[16];
    unsigned bits;
    size_t slash = isg_str_find(text, '/');
    if (slash == SIZE_MAX)
        return ioc_read_address(reader, text, out);
    struct isg_str base = {text.p, slash};
    bool dotted = isg_str_find(base, ':') == SIZE_MAX;
    if (!parse(base, address) || !prefix_bits(isg_str_from(text, slash + 1), dotted, &bits))
        return ioc_refuse(reader, "not an address range");
    bool v4 = is_v4(address) && bits >= 96;
    if ((reader->flags & IOC_WIDE) == 0 && bits < (v4 ? 96 + WIDEST_V4 : WIDEST_V6))
        return ioc_refuse(reader, "a range this wide names nobody");
    if (bits == 128)
        return ioc_read_address(reader, base, out);
    out->masked = fill_behind(address, bits, false);
    out->kind = v4 ? IOC_CIDR4 : IOC_CIDR6;
    memcpy(out->first, address, sizeof out->first);
    (void)fill_behind(address, bits, true);
    memcpy(out->last, address, sizeof out->last);
    out->has_range = true;
    struct isg_str first = ioc_address_text(reader->arena, out->first);
    out->value = isg_str_of(
        isg_arena_printf(reader->arena, "%.*s/%u", ISG_STR_ARG(first), v4 ? bits - 96 : bits));
    return true;
}

/* Offset of the last byte c, or SIZE_MAX. */
static size_t find_last(struct isg_str text, char c)
{
    for (size_t i = text.n; i-- > 0;) {
        if (text.p[i] == c)
            return i;
    }
    return SIZE_MAX;
}

bool ioc_read_ip_port(struct ioc_reader *reader, struct isg_str text, bool bare_v6, struct ioc *out)
{
    uint64_t port;
    uint8_t whole[16];
    struct ioc address = {0};
    size_t at = find_last(text, '|'); /* MISP's separator */
    if (at == SIZE_MAX)
        at = find_last(text, ':'); /* the last: OpenCTI-Platform/connectors splits at the first */
    if (at == SIZE_MAX || at == 0)
        return ioc_refuse(reader, "not an address with a port");
    struct isg_str left = {text.p, at};
    struct isg_str right = isg_str_from(text, at + 1);
    if (!isg_str_to_u64(right, 65535, &port) || port == 0 || right.p[0] == '0')
        return ioc_refuse(reader, "not an address with a port from 1 to 65535");
    bool bracketed = left.p[0] == '[';
    if (!ioc_read_address(reader, left, &address))
        return false;
    bool bare = isg_str_find(left, ':') != SIZE_MAX && !bracketed && text.p[at] == ':';
    if (bare && !bare_v6)
        return ioc_refuse(reader, "an IPv6 address with a port needs brackets");
    address.ambiguous = bare && parse(text, whole);
    address.kind = IOC_IP_PORT;
    address.port = (unsigned)port;
    *out = address;
    return true;
}
