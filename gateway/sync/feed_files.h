/*
 * Files that settings of a feed name, and options of import, convert and export: a table's own
 * columns, warning lists.
 */
#ifndef GATEWAY_SYNC_FEED_FILES_H
#define GATEWAY_SYNC_FEED_FILES_H

#include "feeds/csv.h"
#include "feeds/exclude.h"

/* The description of a table (csv_columns.h). Returns ISG_OK; ISG_EIO, ISG_ELIMIT, or as
 * csv_columns_read with the file's name in why. */
int feed_columns_read(const char *path, struct isg_arena *arena, const struct csv_profile **out,
                      struct isg_fail *why);

/*
 * Add the warning list in a file, or those of a folder (NAME.json, NAME/list.json); a hit warns.
 * Returns ISG_OK; ISG_EIO, ISG_EINVAL (a folder without any), or as exclude_add with the file's name
 * in why.
 */
int feed_lists_read(struct exclude_lists *lists, const char *path, struct isg_fail *why);

/* Put the file's name before what was said of its text; path and rule stay. Returns err. */
int feed_file_named(struct isg_fail *why, int err, const char *path);

#endif
