/*
 * What the tests of the sources share: map a file, keep every object, check each one.
 */
#ifndef TESTS_UNIT_FEEDS_COLLECT_H
#define TESTS_UNIT_FEEDS_COLLECT_H

#include "feeds/feed.h"

/* The namespace of the digest's golden values (feeds 2.4). */
#define COLLECT_URN "urn:example:isao-gateway:stix-id:v1"

struct collected {
    struct isg_buf lines; /* one object a line, in the order handed out */
    size_t objects;
    size_t facets;    /* objects that are parts of merged ones */
    size_t invalid;   /* objects with errors of stix_check */
    uint64_t records; /* as counted by the mapping */
    uint64_t excluded;
    uint64_t rejected;
    struct isg_fail first; /* the first finding */
    char first_object[400];
};

/* Map text with the source of this format; returns feed_map's code. Release with collect_done. */
int collect_text(const char *format, struct isg_str text, struct collected *out,
                 struct isg_fail *why);

/* The same, of a table whose columns are described (csv_columns.h). */
int collect_table(const char *columns, struct isg_str text, struct collected *out,
                  struct isg_fail *why);

/* As collect_text, of a file below tests/fixtures/feeds. */
int collect_fixture(const char *format, const char *name, struct collected *out,
                    struct isg_fail *why);
/* Free the lines. */
void collect_done(struct collected *collected);

/* Number of different ids of a type. */
size_t collect_count(const struct collected *collected, const char *type);

/* How many objects' lines hold both pieces. */
size_t collect_lines(const struct collected *collected, const char *a, const char *b);

/* The line of the object with this id, as a NUL-terminated copy (free it); NULL when absent. */
char *collect_find(const struct collected *collected, const char *id);

#endif
