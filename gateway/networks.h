/*
 * Lists of networks, "127.0.0.1, 10.0.0.0/8, 2001:db8::/32", and addresses as texts.
 */
#ifndef GATEWAY_NETWORKS_H
#define GATEWAY_NETWORKS_H

#include <stdbool.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

enum { NETWORKS_ADDRESS_TEXT = 46 };

struct networks;

/*
 * Read a list: addresses, or ADDRESS/BITS with no bit set behind the prefix, separated by commas or
 * blanks; an empty text is an empty list. ISG_EUSAGE (why names the entry), ISG_ENOMEM.
 */
int networks_parse(struct isg_str text, struct networks **out, struct isg_fail *why);
/* Accepts NULL, leaves NULL. */
void networks_free(struct networks **networks);

/* Is the address in one of them? NULL holds nothing; what is no address is nowhere. */
bool networks_have(const struct networks *networks, struct isg_str address);

/* An address in the one form that it is compared and logged in; IPv4 in IPv6 becomes IPv4. */
bool networks_address(struct isg_str text, char out[NETWORKS_ADDRESS_TEXT]);

/*
 * What limits count an address by: all of an IPv4 address, of IPv6 the /64 that is given to one
 * subscriber, who can choose addresses within it as he likes; what is no address is itself, cut.
 */
void networks_subscriber(struct isg_str address, char out[NETWORKS_ADDRESS_TEXT]);

/* 127.0.0.0/8 or ::1. */
bool networks_is_loopback(struct isg_str address);

#endif
