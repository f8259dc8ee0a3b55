/* Reading, comparing and writing IP networks. */
#include "stix/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "stix/types_table.h"

static void clear_host_bits(struct stix_network *network)
{
    for (unsigned bit = network->prefix; bit < network->bits; bit++)
        network->bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

bool stix_network_read(struct isg_str text, struct stix_network *out)
{
    char address[STIX_NETWORK_TEXT];
    bool six = stix_form_ipv6.fits(text);
    size_t slash = isg_str_find(text, '/');
    size_t n = slash == SIZE_MAX ? text.n : slash;
    uint64_t prefix = six ? 128 : 32;
    if ((!six && !stix_form_ipv4.fits(text)) || n >= sizeof address)
        return false;
    if (slash != SIZE_MAX && !isg_str_to_u64(isg_str_from(text, slash + 1), prefix, &prefix))
        return false;
    memcpy(address, text.p, n);
    address[n] = '\0';
    struct stix_network network = {.bits = six ? 128 : 32, .prefix = (unsigned)prefix};
    if (inet_pton(six ? AF_INET6 : AF_INET, address, network.bytes) != 1)
        return false;
    clear_host_bits(&network);
    *out = network;
    return true;
}

bool stix_network_holds(const struct stix_network *outer, const struct stix_network *inner)
{
    if (outer->bits != inner->bits || outer->prefix > inner->prefix)
        return false;
    struct stix_network cut = *inner;
    cut.prefix = outer->prefix;
    clear_host_bits(&cut);
    return memcmp(cut.bytes, outer->bytes, sizeof cut.bytes) == 0;
}

void stix_network_text(const struct stix_network *network, char out[STIX_NETWORK_TEXT])
{
    int family = network->bits == 128 ? AF_INET6 : AF_INET;
    (void)inet_ntop(family, network->bytes, out, STIX_NETWORK_TEXT);
    size_t n = strlen(out);
    if (network->prefix < network->bits)
        (void)snprintf(out + n, STIX_NETWORK_TEXT - n, "/%u", network->prefix);
}
