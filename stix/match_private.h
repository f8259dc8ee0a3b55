/*
 * What the files of the matcher share: observations, compiled tests, and the plan of bindings.
 *
 *     match_observe.c  observations from JSON
 *     match_compile.c  tests and plan from the tree of a pattern
 *     match_test.c     does an object satisfy a comparison expression
 *     match_value.c    does a value satisfy an operator
 *     match_sets.c     which observations each leaf can be, which instants to guess
 *     match_least.c    what a part of the plan needs of time, were it alone
 *     match_most.c     how often it can be bound at most
 *     match_bind.c     is there a binding of observations to the plan
 *     match_flow.c     can all bound expressions have observations of their own
 *
 * Everything lives in the arena of one call. Private to stix/.
 */
#ifndef STIX_MATCH_PRIVATE_H
#define STIX_MATCH_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/json.h"
#include "stix/network.h"
#include "stix/pattern_tree.h"

/* One call; err is the first failure, after which answers mean nothing. */
struct stix_matching {
    struct isg_arena *arena;
    struct isg_fail *why;
    uint64_t work; /* units left (S-129) */
    int err;
};

/* Take units of work; false, with err set, when none are left. */
bool stix_matching_work(struct stix_matching *m, uint64_t units);

/* n zeroed bytes of the arena, or NULL with err set. */
void *stix_matching_alloc(struct stix_matching *m, size_t n, size_t size);

/* Set err, once. Returns false. */
bool stix_matching_fail(struct stix_matching *m, int code, const char *rule, const char *text);

/* --- observations --- */

struct stix_visible {
    struct isg_str name; /* its id, or its key in `objects` */
    struct isg_str type;
    const struct stix_json *value;
};

/* An observation; first and last are ranks among the scene's times. */
struct stix_observation {
    struct stix_visible *objects; /* what references lead to, sorted by name */
    size_t n;
    const struct stix_visible *roots; /* what tests start from */
    size_t roots_n;
    struct isg_str first_text; /* {NULL, 0}: no one says when */
    struct isg_str last_text;
    size_t first;
    size_t last;
    int64_t count; /* number_observed */
};

struct stix_instant {
    struct isg_str text;
    int64_t us;
};

struct stix_scene {
    struct stix_observation *list;
    size_t n;
    struct stix_instant *times; /* sorted, each instant once */
    size_t times_n;
    bool untimed; /* an observation has no times */
};

/*
 * Read what is to be searched into *out, in m's memory. Returns m->err; on failure *out is as it
 * was.
 */
int stix_scene_read(struct stix_matching *m, const struct stix_json *observations,
                    struct stix_scene *out);

/* The object an observation shows under this name, or NULL. */
const struct stix_visible *stix_observation_find(const struct stix_observation *observation,
                                                 struct isg_str name);

/* --- tests --- */

enum stix_constant_kind {
    STIX_CONSTANT_NUMBER,
    STIX_CONSTANT_BOOLEAN,
    STIX_CONSTANT_STRING,
    STIX_CONSTANT_BYTES,
    STIX_CONSTANT_TIME
};

/* A number as it was written: compared without rounding (S-119). */
struct stix_number {
    bool is_integer;
    int64_t integer;
    double real;
};

struct stix_constant {
    enum stix_constant_kind kind;
    struct stix_number number;
    bool boolean;
    bool has_bytes;       /* of strings: every character is below U+0100 (S-121) */
    struct isg_str text;  /* of strings and times */
    struct isg_str bytes; /* of bytes, and of strings that have them */
    struct stix_constant *next;
};

struct stix_key {
    enum stix_step_kind kind;
    const char *name; /* NULL: no member can have it */
    size_t index;
    bool refers; /* _ref, or an element of _refs: the next key is of the object it names */
    struct stix_key *next;
};

struct stix_probe {
    struct isg_str type;
    const struct stix_key *path;
    enum stix_op op;
    bool negated;
    bool of_bytes;
    const struct stix_constant *constants;
    struct isg_str like;              /* in form C */
    struct stix_regex *regex;         /* of MATCHES; NULL when it can match no bytes */
    struct stix_network network;      /* of the subset tests */
    struct stix_probe *next_compiled; /* all those with an expression to free */
};

/* A comparison expression. */
struct stix_expr {
    enum stix_node kind; /* STIX_NODE_OR, _AND or _TEST */
    const struct stix_expr *first;
    const struct stix_expr *next;
    const struct stix_probe *probe;
};

/* True when one object of the observation satisfies the expression (S-124). */
bool stix_expr_holds(struct stix_matching *m, const struct stix_expr *expr,
                     const struct stix_observation *observation);

/* True when a value that is there satisfies the test; NULL is JSON null. */
bool stix_probe_holds(struct stix_matching *m, const struct stix_probe *probe,
                      const struct stix_json *value);

/* Every code point of text as one octet; false when one is not below U+0100. */
bool stix_bytes_of_text(struct stix_matching *m, struct isg_str text, struct isg_str *out);

/* --- the plan --- */

enum stix_plan_kind {
    STIX_PLAN_LEAF, /* one observation of a set */
    STIX_PLAN_AND,
    STIX_PLAN_OR,
    STIX_PLAN_FOLLOWEDBY,
    STIX_PLAN_PERIOD, /* START STOP */
    STIX_PLAN_WITHIN,
    STIX_PLAN_REPEATS
};

/* Which observations a binding may use: first < first_below and last >= last_from, as ranks. */
struct stix_bounds {
    size_t first_below;
    size_t last_from;
};

struct stix_choice {
    const struct stix_expr *expr;
    struct stix_choice *next;
};

struct stix_plan {
    enum stix_plan_kind kind;
    struct stix_plan *first; /* children */
    struct stix_plan *last;
    struct stix_plan *next;
    struct stix_plan **options; /* of OR: the children by number */
    size_t options_n;
    struct stix_choice *choices; /* of a leaf: any of them */
    struct stix_choice *last_choice;
    uint64_t *set;             /* bit i: a leaf below, or this one, can be observation i */
    int64_t need;              /* so many occurrences a binding takes at least */
    bool alone;                /* no leaf elsewhere can be what leaves below can be */
    struct stix_bounds bounds; /* of a period */
    uint64_t *ends;            /* of WITHIN: instants to guess, where observations end */
    uint64_t *begins;          /* of a child of FOLLOWEDBY: likewise, where they begin */
    double width_us;           /* of WITHIN */
    int64_t times;             /* of REPEATS */

    /* What match_least.c and match_most.c found, an entry an instant; NULL: not asked for. */
    const uint32_t *least; /* the least first_below of any binding with this last_from */
    const uint32_t *rest;  /* of a child of FOLLOWEDBY: likewise, of it and all behind it */
    const uint32_t *most;  /* bindings that are distinct, with guesses from here on, at most */
};

/* As a bound: there is no binding. */
#define STIX_NEVER UINT32_MAX

/* What compiling made, with what must be freed. */
struct stix_program {
    struct stix_plan *plan;
    struct stix_probe *compiled;
};

/* Compile a pattern for a scene. Free the program also after a failure. */
int stix_program_compile(struct stix_matching *m, const struct stix_pattern *pattern,
                         const struct stix_scene *scene, struct stix_program *out);
/* Free the compiled expressions; the rest is m's memory. May be called twice. */
void stix_program_free(struct stix_program *program);

/* Find which observations each leaf can be, and what the guesses are. */
bool stix_plan_fill(struct stix_matching *m, struct stix_plan *plan,
                    const struct stix_scene *scene);

/* Fill least, rest and most; not when the plan and the scene are so large that they cost more. */
bool stix_plan_survey(struct stix_matching *m, struct stix_plan *plan,
                      const struct stix_scene *scene);

/* False when no binding is within bounds by what `least`, or `rest`, says. */
bool stix_least_within(const uint32_t *least, struct stix_bounds bounds,
                       const struct stix_scene *scene);

/* False when most says that no so many bindings have guesses from `from` on. */
bool stix_most_allows(const struct stix_plan *plan, size_t from, int64_t times);

/* Fill most of a WITHIN or FOLLOWEDBY; least and rest of its children are there. */
bool stix_plan_count(struct stix_matching *m, struct stix_plan *plan,
                     const struct stix_scene *scene);

/* The number of instants that are less than width later than this one (S-126). */
size_t stix_reach_of(const struct stix_scene *scene, size_t instant, double width_us);

/* a * b, or INT64_MAX when that is more; both are above zero. */
int64_t stix_times(int64_t a, int64_t b);

/* True when a binding exists. The plan is filled. */
bool stix_plan_binds(struct stix_matching *m, const struct stix_plan *plan,
                     const struct stix_scene *scene);

/* --- the flow --- */

struct stix_flow;

/* Without demands; m and scene are borrowed. NULL without memory: m->err is set. */
struct stix_flow *stix_flow_new(struct stix_matching *m, const struct stix_scene *scene);
/* Accepts NULL, leaves NULL. */
void stix_flow_free(struct stix_flow **flow);

/* Demands that are met now. */
size_t stix_flow_size(const struct stix_flow *flow);

/*
 * Demand `times` observations of a set within bounds, beside all demands met so far. False when
 * they cannot all be met; nothing is added then.
 */
bool stix_flow_demand(struct stix_flow *flow, const uint64_t *set, struct stix_bounds bounds,
                      int64_t times);

/* Withdraw the demands above the first `size`. */
void stix_flow_cut(struct stix_flow *flow, size_t size);

#endif
