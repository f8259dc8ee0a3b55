/* What the files of this room share of a running sync. */
#ifndef GATEWAY_SYNC_SYNC_PRIVATE_H
#define GATEWAY_SYNC_SYNC_PRIVATE_H

#include "gateway/sync/sync.h"

/* What sync_start was given; lives as long as sync. */
const struct sync_parts *sync_parts_of(const struct sync *sync);

#endif
