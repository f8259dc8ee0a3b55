/*
 * STIX patterns: lexer, parser and the conformance rules of a pattern text (S-106 to S-116), a
 * normal form, whether two patterns mean the same, and the values a pattern names. match.h evaluates
 * them.
 */
#ifndef STIX_PATTERN_H
#define STIX_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum stix_pattern_version { STIX_PATTERN_2_1, STIX_PATTERN_2_0 };

/*
 * Check a pattern against the grammar and the conformance rules.
 *
 * Time and memory are linear in the length; nesting is bounded by 64 levels.
 * Returns ISG_OK; ISG_EPARSE (grammar), ISG_EINVAL (a rule), ISG_ELIMIT; why gets the rule and, in
 * its text, the offset in the pattern in characters.
 */
int stix_pattern_check(struct isg_str pattern, enum stix_pattern_version version,
                       struct isg_fail *why);

/*
 * Append the normal form of a pattern: a pattern of the same version that matches the same
 * observations, with one exception: an address, a network or a registry key is what it names,
 * however it is written, while a match compares texts as they are (S-120). An observation that
 * writes 198.51.100.7/32 for the address, or a key in other case, can tell such forms apart.
 * Patterns that differ in the following have the same normal form:
 *
 *   blanks, comments, brackets, == and =, <> and !=, NOT with = and !=, keys in quotes
 *   forms of numbers, timestamps (as instants), hex and base64, networks (host bits, /32, /128),
 *     the case of registry keys and of the names of their values
 *   order and duplicates of AND and OR in [ ], order of AND and OR between them, duplicates of OR
 *   what distribution and absorption make equal, AND and FOLLOWEDBY over OR between [ ] included
 *   IN and OR of =, NOT IN and AND of !=, ISSUBSET of a single address and =
 *   OR within and between [ ], REPEATS 1 TIMES, the place of START STOP among the qualifiers
 *
 * Returns ISG_OK; ISG_EPARSE, ISG_EINVAL as stix_pattern_check; ISG_ELIMIT when distribution makes
 * too much of it, or nests it too deeply; ISG_ENOMEM. Errors of out are left in it.
 */
int stix_pattern_print(struct isg_str text, enum stix_pattern_version version, struct isg_buf *out,
                       struct isg_fail *why);

/*
 * Whether two patterns have the same normal form. true is certain, but for that exception; false is
 * no proof of the contrary, as other laws may make them equal. Errors as stix_pattern_print, of a
 * first.
 */
int stix_pattern_equivalent(struct isg_str a, struct isg_str b, enum stix_pattern_version version,
                            bool *out_equivalent, struct isg_fail *why);

/* --- what a pattern names --- */

/* Why a part of a pattern is no plain value. */
enum stix_pattern_shape {
    STIX_SHAPE_FACTS,     /* it is: all facts together are the whole condition */
    STIX_SHAPE_NEGATION,  /* NOT, != */
    STIX_SHAPE_AND,       /* joined to something that is no fact */
    STIX_SHAPE_SEQUENCE,  /* FOLLOWEDBY */
    STIX_SHAPE_QUALIFIER, /* WITHIN, REPEATS, START STOP */
    STIX_SHAPE_OPERATOR   /* LIKE, MATCHES, <, ISSUPERSET, EXISTS, an empty set ... */
};

/* A path and the one value it must have, or, with `within`, the network it must lie in. */
struct stix_pattern_fact {
    struct isg_str path; /* in normal form: file:hashes.'SHA-256' */
    struct isg_str text; /* of a string, unescaped; empty for other literals */
    int64_t integer;     /* of an integer */
    bool is_text;
    bool is_integer;
    bool within; /* ISSUBSET */
    struct stix_pattern_fact *next;
};

/* One of the alternatives of a pattern: it alone is enough for a match. */
struct stix_pattern_arm {
    enum stix_pattern_shape shape;
    struct stix_pattern_fact *facts; /* with STIX_SHAPE_FACTS, one or more */
    size_t count;
    struct stix_pattern_arm *next;
};

/*
 * The alternatives of a pattern, in the order of the text: OR, between and within [ ], and IN make
 * them; an AND of equalities on one object is one alternative of several facts. A pattern of one
 * fact in each says "any of these values", and nothing else.
 *
 *   out_arms  at least one; lives in arena, and so do the texts of its facts
 *
 * Returns ISG_OK; ISG_EPARSE, ISG_EINVAL (a literal out of range), ISG_ELIMIT, ISG_ENOMEM.
 */
int stix_pattern_arms(struct isg_str text, enum stix_pattern_version version,
                      struct isg_arena *arena, struct stix_pattern_arm **out_arms,
                      struct isg_fail *why);

#endif
