/*
 * A table of a member's own: what its columns mean, said in a JSON file instead of a row of
 * csv_profiles.c (feeds digest 5.8).
 */
#ifndef FEEDS_CSV_COLUMNS_H
#define FEEDS_CSV_COLUMNS_H

#include "feeds/csv.h"

/*
 * Read a description:
 *
 *   {"name": "example-clinic",          names the source in ids and labels: [a-z0-9-]
 *    "columns": {"value": "What", "type": "Kind", "tags": ["Notes", "Remarks"], "first_seen": 1},
 *                                       role: name in the header (any of several), or position from 1
 *    "form": "table",                   or "list": a value a line, hosts files
 *    "delimiter": ";", "comments": "# //", "tail": "#", "width": 4,
 *    "type": "url",                     of all values; and the source's own words for types:
 *    "types": {"C2 server": "ip:port"},
 *    "only": {"State": ["online"]}, "not": {"Reporter": ["test"]},
 *    "organisation": "Example Clinic", "home": "https://clinic.example/",
 *    "marking": "amber", "confidence": 70, "valid_days": 30, "state": "full"}
 *
 * Only name and, for a table, columns with "value" are needed. Roles: value port end prefix type
 * first_seen last_seen status confidence malware malware_key aliases malware_url compromised record
 * url reference label tags. state "full": a row confirms its value now; "window" (the default): when
 * it was added. marking is amber unless said otherwise.
 *
 *   arena  keeps *out and its texts
 *
 * Returns ISG_OK; ISG_EPARSE (no JSON), ISG_EINVAL (why names the place), ISG_ENOMEM.
 */
int csv_columns_read(struct isg_str json, struct isg_arena *arena, const struct csv_profile **out,
                     struct isg_fail *why);

#endif
