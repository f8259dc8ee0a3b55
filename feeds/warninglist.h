/*
 * One warning list made ready to be asked. Private to exclude.c and warninglist*.c.
 */
#ifndef FEEDS_WARNINGLIST_H
#define FEEDS_WARNINGLIST_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/json.h"

/* A set of lower-case texts: open addressing, at most half full. */
struct warning_set {
    struct isg_str *slots;
    size_t size; /* a power of two, or 0 */
};

/* Ranges in order, without overlaps. */
struct warning_range {
    uint8_t first[16];
    uint8_t last[16];
};

enum warning_type {
    WARNING_STRING,
    WARNING_SUBSTRING,
    WARNING_HOSTNAME,
    WARNING_CIDR,
    WARNING_REGEX
};

struct warning_list {
    struct warning_list *next;
    struct isg_arena *arena; /* holds the list itself */
    const char *name;
    enum warning_type type;
    bool drops;              /* a hit means to drop the value, not to warn */
    struct warning_set set;  /* string, hostname; substring: by the first bytes */
    struct isg_str *needles; /* substring: sorted */
    struct warning_range *ranges;
    regex_t *patterns;
    size_t count; /* of needles, ranges or patterns */
};

/* Read a list file; errors as exclude_add. Free with warning_list_free. */
int warning_list_read(struct isg_str file, struct warning_list **out, struct isg_fail *why);
/* Free the list with its compiled expressions; leaves NULL. */
void warning_list_free(struct warning_list **list);

/* text: lower case. A value that is equal, that holds a needle, or that a pattern matches. */
bool warning_list_has_text(const struct warning_list *list, const char *text);

/* name: lower case. The name or a parent of it is listed. */
bool warning_list_has_name(const struct warning_list *list, struct isg_str name);

/* Do the addresses from first to last meet a listed range? */
bool warning_list_has_range(const struct warning_list *list, const uint8_t first[16],
                            const uint8_t last[16]);

/* Compile one pattern of a regex list (warninglist_regex.c). */
bool warning_regex_compile(struct isg_str text, regex_t *out);

#endif
