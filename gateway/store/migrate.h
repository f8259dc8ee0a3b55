/*
 * The version of the layout of keys. A gateway never works on a layout newer than its own.
 */
#ifndef GATEWAY_STORE_MIGRATE_H
#define GATEWAY_STORE_MIGRATE_H

#include "gateway/store/redis.h"
#include "stix/base/err.h"

/*
 * Write the version into an empty store; bring an older layout up to STORE_SCHEMA, step by step;
 * refuse a newer one.
 *
 * Returns ISG_OK; ISG_ESTORE (newer, damaged, out of reach).
 */
int migrate(struct redis *redis, struct isg_fail *why);

#endif
