/*
 * Which addresses a feed may lead to: the check runs on the address itself, at connect, after every
 * name resolution and redirect.
 */
#ifndef FEEDS_ADDRESS_H
#define FEEDS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * True for a public unicast address of IPv4 or IPv6; false for loopback, private, link-local,
 * shared, benchmark, documentation, multicast and reserved ranges, for IPv6 forms that carry such
 * an IPv4 address, and for any other family.
 */
bool address_is_public(const struct sockaddr *address, socklen_t length);

/* True for 127.0.0.0/8, ::1 and their mapped form. */
bool address_is_loopback(const struct sockaddr *address, socklen_t length);

#endif
