/*
 * Who a request really comes from when trusted proxies stand in between.
 */
#ifndef GATEWAY_HTTP_FORWARDED_H
#define GATEWAY_HTTP_FORWARDED_H

#include "gateway/networks.h"

/*
 * Walk X-Forwarded-For from its right end as long as the address reached is a trusted proxy; what is
 * left of the first that is not may be invented. peer is where the connection comes from.
 *
 *   value  all X-Forwarded-For lines joined by commas; may be empty
 *
 * out gets the client's address: peer itself when it is not trusted or nothing usable is said.
 */
void forwarded_client(const struct networks *proxies, struct isg_str value, struct isg_str peer,
                      char out[NETWORKS_ADDRESS_TEXT]);

#endif
