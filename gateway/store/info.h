/*
 * What INFO of a Redis server says: lines "name:value".
 */
#ifndef GATEWAY_STORE_INFO_H
#define GATEWAY_STORE_INFO_H

#include <stdint.h>

#include "stix/base/str.h"

/* The value of a line, a view into info; "" where there is no such line. */
struct isg_str info_text(struct isg_str info, const char *name);

/* Likewise as a number; 0 where there is none. */
int64_t info_number(struct isg_str info, const char *name);

#endif
