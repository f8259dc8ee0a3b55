/*
 * IP networks: an address with the length of its prefix (S-128). Private to stix/.
 */
#ifndef STIX_NETWORK_H
#define STIX_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

enum { STIX_NETWORK_TEXT = 64 }; /* room for the longest text with its NUL */

struct stix_network {
    uint8_t bytes[16]; /* host bits are zero */
    unsigned bits;     /* of an address: 32 or 128 */
    unsigned prefix;
};

/* Read an address or CIDR block; a single address is a network of one. False on other texts. */
bool stix_network_read(struct isg_str text, struct stix_network *out);

/* True when all of inner lies in outer; never across the two families. */
bool stix_network_holds(const struct stix_network *outer, const struct stix_network *inner);

/* The shortest text: no prefix on a single address, IPv6 as RFC 5952 says. */
void stix_network_text(const struct stix_network *network, char out[STIX_NETWORK_TEXT]);

#endif
