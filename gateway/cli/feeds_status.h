/* The state of feeds, peers and webhooks at a glance. Private to feeds.c. */
#ifndef GATEWAY_CLI_FEEDS_STATUS_H
#define GATEWAY_CLI_FEEDS_STATUS_H

#include "stix/json.h"

/*
 * A table of a list that the service gave (kind: "feed", "peer" or "webhook"), a line each, and below
 * it what an operator has to know of some of them: errors, what waits for a person, what is under way.
 */
void status_print(const struct stix_json *list, const char *kind);

#endif
