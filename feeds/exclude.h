/*
 * What is no threat to anybody, or only looks like one (feeds digest 3.4): a built-in list of
 * addresses and names that are never useful, and warning lists in MISP's file form.
 *
 * Lists are read once and then only asked; asking is safe from several threads. A question costs
 * about one look-up in a hash table per label of a name and a binary search per list of ranges.
 */
#ifndef FEEDS_EXCLUDE_H
#define FEEDS_EXCLUDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/ioc.h"

enum exclude_answer { EXCLUDE_PASS, EXCLUDE_WARN, EXCLUDE_DROP };

struct exclude_verdict {
    enum exclude_answer answer;
    const char *list; /* name of the list or of the built-in reason; NULL with EXCLUDE_PASS */
};

struct exclude_lists;

/*
 * A new set that holds the built-in list only. exercise: addresses and names set aside for
 * documentation and tests pass, so that an exercise can use them. NULL when there is no memory.
 */
struct exclude_lists *exclude_new(bool exercise);
/* Free the set with every list added to it; leaves NULL. */
void exclude_free(struct exclude_lists **lists);

/*
 * Add a warning list: {"name", "type", "list": [...]} with type string (the whole value), substring,
 * hostname (the name or a parent of it), cidr or regex (POSIX extended; forms that no matcher can run
 * in linear time are refused).
 *
 *   file    JSON text, borrowed during the call
 *   answer  what a hit means: EXCLUDE_WARN or EXCLUDE_DROP
 *
 * Returns ISG_OK; ISG_EPARSE, ISG_EINVAL (shape, an entry that cannot be used), ISG_ELIMIT,
 * ISG_ENOMEM; then the set is as it was.
 */
int exclude_add(struct exclude_lists *lists, struct isg_str file, enum exclude_answer answer,
                struct isg_fail *why);

/*
 * Judge a value. Parts of a composite are judged each; a range is hit when it lies in a listed one and
 * when a listed one lies in it. A URL on a listed host is at most a warning, unless the host is on
 * the built-in list. Lists are asked in the order added; the strictest answer is given.
 */
struct exclude_verdict exclude_check(const struct exclude_lists *lists, const struct ioc *ioc);

enum { EXCLUDE_KEPT = 100, EXCLUDE_REASONS = 64 };

/* What was excluded in a run, and why; the texts of `last` are cut to fit. Zeroed at the start. */
struct exclude_tally {
    uint64_t passed;
    uint64_t warned;
    uint64_t dropped;
    struct {
        const char *list;
        uint64_t hits;
    } reasons[EXCLUDE_REASONS];
    struct {
        char value[128];
        const char *list;
    } last[EXCLUDE_KEPT]; /* a ring: drop number i is at i % EXCLUDE_KEPT */
};

/* Count one verdict. */
void exclude_count(struct exclude_tally *tally, const struct exclude_verdict *verdict,
                   const struct ioc *ioc);

#endif
