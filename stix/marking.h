/*
 * TLP as STIX knows it: the four frozen objects of TLP 1.0 (S-069) and the five of TLP 2.0 (S-070).
 */
#ifndef STIX_MARKING_H
#define STIX_MARKING_H

#include "stix/base/str.h"
#include "stix/json.h"

/* Levels in rising strictness. TLP 1 white is CLEAR; UNKNOWN is a marking that is no TLP. */
enum stix_tlp {
    STIX_TLP_NONE, /* no marking at all */
    STIX_TLP_CLEAR,
    STIX_TLP_GREEN,
    STIX_TLP_AMBER,
    STIX_TLP_AMBER_STRICT,
    STIX_TLP_RED,
    STIX_TLP_UNKNOWN /* treated as RED (S-071) */
};

/* The level a marking-definition id stands for; STIX_TLP_UNKNOWN for any other id. */
enum stix_tlp stix_tlp_of_marking(struct isg_str marking_id);

/* The strictest level of object_marking_refs; STIX_TLP_NONE when there are none. */
enum stix_tlp stix_tlp_of_object(const struct stix_json *object);

/* The strictest level of object_marking_refs and of every marking in granular_markings. */
enum stix_tlp stix_tlp_strictest(const struct stix_json *object);

/* What a marking stands for, for someone who knows more markings than TLP's. */
typedef enum stix_tlp stix_tlp_level(void *arg, struct isg_str marking_id);

/* As stix_tlp_strictest, asking level_of about every marking; STIX_TLP_NONE from it is no bound. */
enum stix_tlp stix_tlp_strictest_by(const struct stix_json *object, stix_tlp_level *level_of,
                                    void *arg);

/* Id of the TLP 2.0 marking of a level (CLEAR .. RED), NULL for the others. */
const char *stix_tlp_marking_id(enum stix_tlp level);

/* "clear", "green", "amber", "amber+strict", "red", "none" or "unknown". */
const char *stix_tlp_name(enum stix_tlp level);

/* The level of such a name, any case, also "white" and "TLP:..."; STIX_TLP_UNKNOWN else. */
enum stix_tlp stix_tlp_of_name(struct isg_str name);

/* Canonical text of the marking-definition object with this id (all nine), NULL for others. */
const char *stix_tlp_object(struct isg_str marking_id);

#endif
