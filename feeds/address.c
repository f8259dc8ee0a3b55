#include "feeds/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A range: the first `bits` bits of an address. */
struct range4 {
    uint32_t base;
    unsigned bits;
};

static const struct range4 special4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8       this network */
    {0x0a000000, 8},  /* 10.0.0.0/8      private */
    {0x64400000, 10}, /* 100.64.0.0/10   shared */
    {0x7f000000, 8},  /* 127.0.0.0/8     loopback */
    {0xa9fe0000, 16}, /* 169.254.0.0/16  link-local, cloud metadata */
    {0xac100000, 12}, /* 172.16.0.0/12   private */
    {0xc0000000, 24}, /* 192.0.0.0/24    protocol assignments */
    {0xc0000200, 24}, /* 192.0.2.0/24    documentation */
    {0xc0a80000, 16}, /* 192.168.0.0/16  private */
    {0xc6120000, 15}, /* 198.18.0.0/15   benchmark */
    {0xc6336400, 24}, /* 198.51.100.0/24 documentation */
    {0xcb007100, 24}, /* 203.0.113.0/24  documentation */
    {0xe0000000, 3},  /* 224.0.0.0/3     multicast, reserved, broadcast */
};

struct range6 {
    uint8_t base[16];
    unsigned bits;
};

static const struct range6 special6[] = {
    {{0}, 96},                      /* ::/96         unspecified, loopback, compatible */
    {{[8] = 0xff, [9] = 0xff}, 96}, /* ::ffff:0:a.b.c.d  IPv4-translated */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* 64:ff9b:1::/48  a site's own translation */
    {{0x01, 0x00}, 64},                         /* 100::/64      discard */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* 2001:db8::/32 documentation */
    {{0x3f, 0xff}, 20},                         /* 3fff::/20     documentation */
    {{0xfc, 0x00}, 7},                          /* fc00::/7      unique local */
    {{0xfe, 0x80}, 10},                         /* fe80::/10     link-local */
    {{0xfe, 0xc0}, 10},                         /* fec0::/10     site-local, deprecated */
    {{0xff, 0x00}, 8},                          /* ff00::/8      multicast */
};

/* IPv6 forms that carry an IPv4 address: where it begins. */
static const struct {
    struct range6 range;
    size_t at;
} carriers[] = {
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, /* ::ffff:a.b.c.d */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                   /* 64:ff9b::a.b.c.d (NAT64) */
    {{{0x20, 0x02}, 16}, 2},                                /* 2002:ab:cd:: (6to4) */
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof special4[0]; i++) {
        if ((address ^ special4[i].base) >> (32 - special4[i].bits) == 0)
            return false;
    }
    return true;
}

static bool in_range6(const uint8_t *address, const struct range6 *range)
{
    size_t bytes = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(address, range->base, bytes) != 0)
        return false;
    return rest == 0 || (address[bytes] ^ range->base[bytes]) >> (8 - rest) == 0;
}

static uint32_t ipv4_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool is_public6(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
        if (in_range6(address, &carriers[i].range))
            return is_public4(ipv4_at(address + carriers[i].at));
    }
    for (size_t i = 0; i < sizeof special6 / sizeof special6[0]; i++) {
        if (in_range6(address, &special6[i]))
            return false;
    }
    return true;
}

/* The address's bytes by family, copied out: a sockaddr may not be aligned for its family. */
static int family_of(const struct sockaddr *address, socklen_t length, uint32_t *out4,
                     uint8_t out6[16])
{
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        *out4 = ntohl(in.sin_addr.s_addr);
        return AF_INET;
    }
    if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        memcpy(out6, &in.sin6_addr, 16);
        return AF_INET6;
    }
    return AF_UNSPEC;
}

bool address_is_public(const struct sockaddr *address, socklen_t length)
{
    uint32_t v4;
    uint8_t v6[16];
    switch (family_of(address, length, &v4, v6)) {
    case AF_INET: return is_public4(v4);
    case AF_INET6: return is_public6(v6);
    default: return false;
    }
}

bool address_is_loopback(const struct sockaddr *address, socklen_t length)
{
    static const uint8_t one[16] = {[15] = 1};
    uint32_t v4;
    uint8_t v6[16];
    switch (family_of(address, length, &v4, v6)) {
    case AF_INET: return v4 >> 24 == 127;
    case AF_INET6:
        return memcmp(v6, one, 16) == 0 ||
               (in_range6(v6, &carriers[0].range) && ipv4_at(v6 + 12) >> 24 == 127);
    default: return false;
    }
}
