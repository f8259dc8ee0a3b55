#include "gateway/networks.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 16, V4_BITS = 96, SUBSCRIBER_BITS = 64, ENTRIES_MAX = 1000 };

struct network {
    uint8_t base[BYTES]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

struct networks {
    size_t count;
    struct network list[];
};

static const uint8_t mapped[V4_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static bool read_address(struct isg_str text, uint8_t out[BYTES])
{
    char copy[NETWORKS_ADDRESS_TEXT];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, copy, out + sizeof mapped) == 1 ||
           inet_pton(AF_INET6, copy, out) == 1;
}

static bool is_within(const uint8_t address[BYTES], const struct network *network)
{
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    return memcmp(address, network->base, whole) == 0 &&
           (rest == 0 || (address[whole] ^ network->base[whole]) >> (8 - rest) == 0);
}

/* Bits behind the prefix mean that somebody meant another network. */
static bool is_clean(const struct network *network)
{
    for (unsigned bit = network->bits; bit < BYTES * 8; bit++)
        if ((network->base[bit / 8] & (0x80 >> bit % 8)) != 0)
            return false;
    return true;
}

static bool read_network(struct isg_str text, struct network *out)
{
    size_t slash = isg_str_find(text, '/');
    struct isg_str address = {text.p, slash < text.n ? slash : text.n};
    uint64_t bits = V4_BITS + 32;
    if (!read_address(address, out->base))
        return false;
    bool v4 = isg_str_find(address, ':') >= address.n;
    if (slash < text.n) {
        if (!isg_str_to_u64(isg_str_from(text, slash + 1), v4 ? 32 : 128, &bits))
            return false;
        bits += v4 ? V4_BITS : 0;
    }
    out->bits = (unsigned)bits;
    return is_clean(out);
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

static struct isg_str next_word(struct isg_str *rest)
{
    while (rest->n > 0 && is_separator(rest->p[0]))
        *rest = isg_str_from(*rest, 1);
    size_t n = 0;
    while (n < rest->n && !is_separator(rest->p[n]))
        n++;
    struct isg_str word = {rest->p, n};
    *rest = isg_str_from(*rest, n);
    return word;
}

int networks_parse(struct isg_str text, struct networks **out, struct isg_fail *why)
{
    size_t room = 0;
    struct isg_str rest = text;
    while (next_word(&rest).n > 0)
        room++;
    if (room > ENTRIES_MAX)
        return isg_fail(why, ISG_EUSAGE, "more than %d networks", (int)ENTRIES_MAX);
    struct networks *networks = malloc(sizeof *networks + room * sizeof(struct network));
    if (networks == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    networks->count = room;
    rest = text;
    for (size_t i = 0; i < room; i++) {
        struct isg_str word = next_word(&rest);
        if (read_network(word, &networks->list[i]))
            continue;
        free(networks);
        return isg_fail(why, ISG_EUSAGE, "%.*s is no address or network", ISG_STR_ARG(word));
    }
    *out = networks;
    return ISG_OK;
}

void networks_free(struct networks **networks)
{
    free(*networks);
    *networks = NULL;
}

bool networks_have(const struct networks *networks, struct isg_str address)
{
    uint8_t bytes[BYTES];
    if (networks == NULL || networks->count == 0 || !read_address(address, bytes))
        return false;
    for (size_t i = 0; i < networks->count; i++)
        if (is_within(bytes, &networks->list[i]))
            return true;
    return false;
}

static bool is_v4(const uint8_t bytes[BYTES])
{
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

static bool write_address(const uint8_t bytes[BYTES], char out[NETWORKS_ADDRESS_TEXT])
{
    bool v4 = is_v4(bytes);
    return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + sizeof mapped : bytes, out,
                     NETWORKS_ADDRESS_TEXT) != NULL;
}

bool networks_address(struct isg_str text, char out[NETWORKS_ADDRESS_TEXT])
{
    uint8_t bytes[BYTES];
    return read_address(text, bytes) && write_address(bytes, out);
}

void networks_subscriber(struct isg_str address, char out[NETWORKS_ADDRESS_TEXT])
{
    uint8_t bytes[BYTES];
    bool good = read_address(address, bytes);
    if (good && !is_v4(bytes))
        memset(bytes + SUBSCRIBER_BITS / 8, 0, BYTES - SUBSCRIBER_BITS / 8);
    if (good && write_address(bytes, out))
        return;
    size_t n = address.n < NETWORKS_ADDRESS_TEXT ? address.n : NETWORKS_ADDRESS_TEXT - 1;
    if (n > 0)
        memcpy(out, address.p, n);
    out[n] = '\0';
}

bool networks_is_loopback(struct isg_str address)
{
    uint8_t bytes[BYTES];
    static const struct network loops[] = {{{[10] = 0xff, [11] = 0xff, [12] = 127}, V4_BITS + 8},
                                           {{[15] = 1}, BYTES * 8}};
    return read_address(address, bytes) &&
           (is_within(bytes, &loops[0]) || is_within(bytes, &loops[1]));
}
