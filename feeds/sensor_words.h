/*
 * Words that a sensor writes and that may leave the house (feeds digest 5.14). They come out of packets
 * or stand beside what does: only what is on a list, or of a form that cannot be a sentence, goes on,
 * so that nothing else can be said in its place.
 */
#ifndef FEEDS_SENSOR_WORDS_H
#define FEEDS_SENSOR_WORDS_H

#include <stdbool.h>

#include "stix/base/arena.h"
#include "stix/base/str.h"

/*
 * A protocol over IP ("TCP", "17") by its name in lower case, the form that STIX wants (S-063); empty
 * when it is none that is known.
 */
struct isg_str sensor_transport(struct isg_arena *arena, struct isg_str text);

/* A protocol of applications, several with commas between; likewise. */
struct isg_str sensor_service(struct isg_arena *arena, struct isg_str text);

/* Names a rule: gid:sid:rev of Suricata, Module::Type of Zeek. */
bool sensor_is_rule(struct isg_str text);

#endif
