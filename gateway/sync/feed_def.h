/*
 * What a feed is: read from the configuration or from a document of the store, checked by one
 * function.
 */
#ifndef GATEWAY_SYNC_FEED_DEF_H
#define GATEWAY_SYNC_FEED_DEF_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/config.h"
#include "stix/base/jsonw.h"
#include "stix/base/str.h"

enum { FEED_NAME_MAX = 64 };

struct feed_def {
    char name[FEED_NAME_MAX + 1];
    char *url;
    char *format;
    char *collection;
    char *header_file; /* may be NULL */
    char *ca;          /* may be NULL */
    uint32_t interval_s;
    bool allow_private;
    bool stored; /* made by command, not by the configuration */
};

/* Copies; ISG_ENOMEM, or ISG_EINVAL as feed_def_check. Release with feed_def_done. */
int feed_def_of_config(const struct config_feed *feed, struct feed_def *out, struct isg_fail *why);
/* Likewise, of a stored or sent document; also the errors of stix_json_parse. */
int feed_def_of_json(struct isg_str json, struct feed_def *out, struct isg_fail *why);
/* A copy with texts of its own; ISG_ENOMEM. */
int feed_def_copy(const struct feed_def *def, struct feed_def *out, struct isg_fail *why);
/* Free the texts; the definition is then all zero. */
void feed_def_done(struct feed_def *def);

/* Members of the definition, without the content of any file. */
void feed_def_write(const struct feed_def *def, struct isg_jsonw *w);

#endif
