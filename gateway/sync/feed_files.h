/*
 * What settings of a feed name, and options of import, convert and export: a table's own columns,
 * warning lists, the staff's aliases of vendors, the networks of the sensors' house. read, where it
 * is not NULL, gets what the files say, so that another run can tell whether it is the same.
 */
#ifndef GATEWAY_SYNC_FEED_FILES_H
#define GATEWAY_SYNC_FEED_FILES_H

#include "feeds/csv.h"
#include "feeds/exclude.h"
#include "feeds/product.h"
#include "stix/base/digest.h"

/* The description of a table (csv_columns.h). Returns ISG_OK; ISG_EIO, ISG_ELIMIT, or as
 * csv_columns_read with the file's name in why. */
int feed_columns_read(const char *path, struct isg_arena *arena, struct isg_sha256 *read,
                      const struct csv_profile **out, struct isg_fail *why);

/* The staff's aliases (product.h). Returns ISG_OK; ISG_EIO, or as product_aliases_read with the
 * file's name in why. */
int feed_aliases_read(const char *path, struct isg_arena *arena, struct isg_sha256 *read,
                      const struct product_alias **out, struct isg_fail *why);

/* Networks, parted by commas or blanks, as feed_context has them. Returns ISG_OK; ISG_EUSAGE (why
 * names the one that is none; or there is none), ISG_ELIMIT (more than 1,024), ISG_ENOMEM. */
int feed_networks_read(const char *list, struct isg_arena *arena, const char ***out,
                       struct isg_fail *why);

/*
 * Add the warning list in a file, or those of a folder (NAME.json, NAME/list.json); a hit warns.
 * Returns ISG_OK; ISG_EIO, ISG_EINVAL (a folder without any), or as exclude_add with the file's name
 * in why.
 */
int feed_lists_read(struct exclude_lists *lists, const char *path, struct isg_sha256 *read,
                    struct isg_fail *why);

/* Put the file's name before what was said of its text; path and rule stay. Returns err. */
int feed_file_named(struct isg_fail *why, int err, const char *path);

#endif
