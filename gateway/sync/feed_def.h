/*
 * What a feed is (config.h), read from the configuration or from a document of the store, and
 * checked by one function.
 */
#ifndef GATEWAY_SYNC_FEED_DEF_H
#define GATEWAY_SYNC_FEED_DEF_H

#include "gateway/config.h"
#include "stix/base/str.h"

enum { FEED_NAME_MAX = 64 };

/* Copies; ISG_ENOMEM, or ISG_EINVAL: name, format, what that has no use for, URL. Release with
 * feed_def_done. */
int feed_def_of_config(const struct feed_def *feed, struct feed_def *out, struct isg_fail *why);
/* Likewise, of a stored or sent document; also the errors of stix_json_parse and feed_def_read. */
int feed_def_of_json(struct isg_str json, struct feed_def *out, struct isg_fail *why);

#endif
