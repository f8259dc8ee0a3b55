/*
 * What sensors of a member saw, made fit to leave the house (feeds digest 5.14): only the fields of
 * an allow-list ever reach this module, so nothing else can be in what it writes. Events of one rule,
 * external address and port are counted in windows of 15 minutes; a window is one observed-data
 * whose id is fixed by its start, so that a resend changes nothing.
 *
 * It makes observations only. Whether one meets an indicator in store, and so is a sighting, is asked
 * where the store is; what to ask by goes with them (sighted.h).
 */
#ifndef FEEDS_OBSERVE_H
#define FEEDS_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/map.h"

/* One end of a connection as the sensor wrote it; empty address: not told. */
struct observe_end {
    struct isg_str address;
    unsigned port; /* 0: none */
};

/* All that may leave. Texts are borrowed until observe_add returns. */
struct observe_event {
    int64_t time_us;
    struct observe_end from; /* who opened the connection, or sent the packet */
    struct observe_end to;
    struct isg_str protocol; /* tcp, udp, icmp, ... any case */
    struct isg_str service;  /* dns, http, ... may be empty */
    struct isg_str rule;     /* "1:2001219:20", a notice's type; may be empty */
    struct isg_str text;     /* of the rule */
    struct isg_str category; /* several: parted by ';' */
    struct isg_str domain;   /* queried, in SNI or Host */
    struct isg_str md5;      /* of a file */
    struct isg_str sha1;
    struct isg_str sha256;
    struct isg_str named; /* id of the indicator that the rule was made of; may be empty */
    /* `to` is a host of the member's own, as seen from outside, in a report for the member alone. */
    bool exposed;
};

struct observe; /* the windows of a run */

/*
 * NULL when there is no memory. The map is borrowed; without exclusion lists it uses the built-in
 * one.
 */
struct observe *observe_new(struct map *map);
/* Accepts NULL, leaves NULL. */
void observe_free(struct observe **observe);

/*
 * Count one event. Left out with a count are: events between own machines (their addresses stay in
 * the house), between strangers (a mirror port gone wrong), and without a time. An exposed host whose
 * address cannot be read is counted as rejected.
 * ISG_OK or ISG_ENOMEM.
 */
int observe_add(struct observe *observe, const struct observe_event *event, struct isg_fail *why);

/* Hand out all windows in order of their key; errors are the map's. */
void observe_write(struct observe *observe);

#endif
