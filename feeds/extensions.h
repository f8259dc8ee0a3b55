/*
 * The definition objects of the project's own extensions: fixed ids, the same bytes everywhere.
 */
#ifndef FEEDS_EXTENSIONS_H
#define FEEDS_EXTENSIONS_H

#include "feeds/map.h"

/* Id of the TLP:CLEAR marking (TLP 2.0). */
const char *feed_clear_marking(void);

/* Hand out the definition of an extension and, once, the identity that made it (S-078). */
void extension_write(struct map *map, const char *id);

#endif
