/*
 * The plain value that a part of an indicator's pattern means: what exports write as a row, and what
 * an observation is compared with.
 */
#ifndef GATEWAY_SHARE_INDICATOR_VALUE_H
#define GATEWAY_SHARE_INDICATOR_VALUE_H

#include "feeds/ioc.h"
#include "gateway/share/export.h"
#include "stix/base/arena.h"
#include "stix/pattern.h"

/*
 * The value of an arm (stix_pattern_arms) in canonical form, its texts in arena: EXPORT_KEPT, or why
 * it is none (EXPORT_NEGATION to EXPORT_UNSAFE), and then out is of no use.
 */
enum export_reason indicator_value(struct isg_arena *arena, const struct stix_pattern_arm *arm,
                                   struct ioc *out);

#endif
