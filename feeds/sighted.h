/*
 * An observation in plain values, for whoever holds the indicators that it may meet (feeds digest
 * 5.14): handed out behind the observed-data where the context asks for it. It is no STIX object and
 * is kept nowhere; what it holds is what the observation holds, and the indicator that the sensor's
 * rule was made of.
 */
#ifndef FEEDS_SIGHTED_H
#define FEEDS_SIGHTED_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/map.h"
#include "stix/json.h"

/* The facet it is emitted with; no other record has it. */
#define SIGHTED_FACET "sighted"

/* Texts are borrowed; all but the first six may be empty. */
struct sighted {
    struct isg_str observed; /* id of the observed-data */
    struct isg_str where;    /* id of the identity whose sensor it was */
    struct isg_str space;    /* namespace of ids */
    struct isg_str start;    /* of the window */
    struct isg_str first;
    struct isg_str last;
    struct isg_str peer; /* the external address */
    struct isg_str domain;
    struct isg_str md5;
    struct isg_str sha1;
    struct isg_str sha256;
    struct isg_str named; /* id of the indicator that the rule names */
    int64_t number;       /* of events */
    int64_t port;         /* of the service; 0: none */
    bool outbound;        /* the connection went to the peer */
    bool inbound;         /* it came from there; neither: nothing is known of a connection */
};

/* Write it as an object. */
void sighted_put(struct isg_jsonw *w, const struct sighted *sighted);

/* Hand it out; errors are the map's. */
void sighted_write(struct map *map, const struct sighted *sighted);

/* Views into json. False when it is not what sighted_write writes. */
bool sighted_read(const struct stix_json *json, struct sighted *out);

#endif
