/*
 * The normal form of a pattern, and equality by it (pattern.h lists the laws).
 *
 * An observation expression becomes alternatives without OR: AND and FOLLOWEDBY are distributed
 * over it. Alternatives are compared by their text. What carries qualifiers is one piece, with a
 * normal form inside. Duplicates of AND stay: they ask for distinct observations (S-125).
 */
#include "stix/pattern_normal.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORK_MAX = 30 * 1000 * 1000,
    ARENA_MAX = 512 * 1024 * 1024,
    PAIRS_MAX = 2000,        /* alternatives that are held against each other */
    CHOICES_MAX = 100 * 1000 /* alternatives that distribution may make of one chain */
};

enum unit_kind {
    UNIT_PIECE, /* [ ], or something with qualifiers */
    UNIT_AND,
    UNIT_FOLLOWEDBY
};

/* An alternative, or a part of one. */
struct unit {
    struct isg_str text;
    enum unit_kind kind;
    struct unit *parts; /* of AND (sorted) and FOLLOWEDBY (in order) */
    size_t parts_n;
    unsigned qualifiers;        /* bit per kind, of a piece */
    const struct stix_dnf *dnf; /* of a [ ] without qualifiers, else NULL */
};

/* Alternatives. */
struct units {
    struct unit *list;
    size_t n;
};

static bool units_new(struct stix_normal *n, size_t count, struct units *out)
{
    *out = (struct units){stix_normal_alloc(n, count + 1, sizeof *out->list), 0};
    return out->list != NULL && stix_normal_work(n, count);
}

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp(((const struct unit *)a)->text, ((const struct unit *)b)->text);
}

/* FOLLOWEDBY binds less than what it may stand in, AND more. */
static void put_unit(const struct unit *unit, bool nested, struct isg_buf *out)
{
    bool brackets = nested && unit->kind == UNIT_FOLLOWEDBY;
    isg_buf_puts(out, brackets ? "(" : "");
    isg_buf_put_str(out, unit->text);
    isg_buf_puts(out, brackets ? ")" : "");
}

/* --- alternatives: duplicates and absorption --- */

static const struct unit *find_unit(const struct units *units, const struct unit *unit)
{
    return bsearch(unit, units->list, units->n, sizeof *unit, by_text);
}

/* One of the parts alone is an alternative, too. */
static bool has_alternative(struct stix_normal *n, const struct units *all, const struct unit *unit)
{
    for (size_t i = 0; i < unit->parts_n; i++)
        if (!stix_normal_work(n, 1) || find_unit(all, &unit->parts[i]) != NULL)
            return true;
    return false;
}

/* All parts of inner are in outer, in the same order; for AND that is the sorted one. */
static bool is_within(const struct unit *inner, const struct unit *outer)
{
    size_t j = 0;
    for (size_t i = 0; i < inner->parts_n; i++) {
        while (j < outer->parts_n && by_text(&inner->parts[i], &outer->parts[j]) != 0)
            j++;
        if (j++ >= outer->parts_n)
            return false;
    }
    return true;
}

/* A shorter chain of the same kind is an alternative; not asked for when there are very many. */
static bool has_shorter(struct stix_normal *n, const struct units *all, const struct unit *unit)
{
    if (all->n > PAIRS_MAX)
        return false;
    for (size_t i = 0; i < all->n; i++) {
        const struct unit *shorter = &all->list[i];
        if (shorter->kind != unit->kind || shorter->parts_n >= unit->parts_n)
            continue;
        if (!stix_normal_work(n, unit->parts_n) || is_within(shorter, unit))
            return true;
    }
    return false;
}

/* Sorted, each once, and none that another one makes needless. */
static bool absorb(struct stix_normal *n, struct units *units)
{
    struct units kept;
    size_t unique = 0;
    if (units->n > 1)
        qsort(units->list, units->n, sizeof *units->list, by_text);
    for (size_t i = 0; i < units->n; i++)
        if (unique == 0 || by_text(&units->list[unique - 1], &units->list[i]) != 0)
            units->list[unique++] = units->list[i];
    units->n = unique;
    if (!units_new(n, unique, &kept))
        return false;
    for (size_t i = 0; i < unique; i++) {
        const struct unit *unit = &units->list[i];
        if (unit->kind == UNIT_PIECE ||
            (!has_alternative(n, units, unit) && !has_shorter(n, units, unit)))
            kept.list[kept.n++] = *unit;
    }
    *units = kept;
    return n->err == ISG_OK;
}

/* [a] OR [b] is [a OR b]: all such alternatives become one. */
static bool merge(struct stix_normal *n, struct units *units)
{
    struct stix_dnf *all = stix_normal_alloc(n, 1, sizeof *all);
    struct isg_buf text;
    size_t total = 0;
    size_t simple = 0;
    for (size_t i = 0; i < units->n; i++) {
        simple += units->list[i].dnf != NULL;
        total += units->list[i].dnf != NULL ? units->list[i].dnf->n : 0;
    }
    if (all == NULL || simple < 2)
        return all != NULL;
    all->terms = stix_normal_alloc(n, total, sizeof *all->terms);
    if (all->terms == NULL)
        return false;
    size_t left = 0;
    for (size_t i = 0; i < units->n; i++) {
        const struct stix_dnf *dnf = units->list[i].dnf;
        if (dnf == NULL) {
            units->list[left++] = units->list[i];
            continue;
        }
        memcpy(all->terms + all->n, dnf->terms, dnf->n * sizeof *dnf->terms);
        all->n += dnf->n;
    }
    struct unit one = {.kind = UNIT_PIECE, .dnf = all};
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    bool good = stix_dnf_absorb(n, all);
    if (good)
        stix_dnf_print(n, all, &text);
    good = good && stix_normal_keep(n, &text, &one.text);
    isg_buf_done(&text);
    units->list[left++] = one;
    units->n = left;
    qsort(units->list, units->n, sizeof *units->list, by_text);
    return good;
}

static bool finish(struct stix_normal *n, struct units *units)
{
    return absorb(n, units) && merge(n, units);
}

static void put_units(const struct units *units, struct isg_buf *out)
{
    for (size_t i = 0; i < units->n; i++) {
        isg_buf_puts(out, i > 0 ? " OR " : "");
        put_unit(&units->list[i], units->n > 1, out);
    }
}

/* --- pieces --- */

static bool normalize(struct stix_normal *n, const struct stix_pattern_node *node,
                      struct units *out);

/* START STOP asks each observation alone, so its place among the qualifiers is free. */
static unsigned put_qualifiers(const struct stix_normal *n, const struct stix_pattern_node *node,
                               struct isg_buf *out)
{
    unsigned kinds = 0;
    for (int period = 1; period >= 0; period--)
        for (const struct stix_qualifier *q = node->qualifiers; q != NULL; q = q->next) {
            bool once = q->kind == STIX_REPEATS && q->times == 1;
            if ((q->kind == STIX_START_STOP) != (period == 1) || once)
                continue;
            stix_qualifier_print(q, n->version, out);
            kinds |= 1U << q->kind;
        }
    return kinds;
}

static bool one_unit(struct stix_normal *n, struct unit unit, struct units *out)
{
    if (!units_new(n, 1, out))
        return false;
    out->list[out->n++] = unit;
    return true;
}

static bool normalize_observation(struct stix_normal *n, const struct stix_pattern_node *node,
                                  struct units *out)
{
    struct stix_dnf *dnf = stix_normal_alloc(n, 1, sizeof *dnf);
    struct unit unit = {.kind = UNIT_PIECE};
    struct isg_buf text;
    if (dnf == NULL || !stix_normal_dnf(n, node->first, dnf))
        return false;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    stix_dnf_print(n, dnf, &text);
    unit.qualifiers = put_qualifiers(n, node, &text);
    unit.dnf = unit.qualifiers == 0 ? dnf : NULL;
    bool good = stix_normal_keep(n, &text, &unit.text);
    isg_buf_done(&text);
    return good && one_unit(n, unit, out);
}

/* The one piece inside, which can take the qualifiers of its brackets, too; else NULL. */
static const struct unit *bare(const struct stix_pattern_node *group, const struct units *inner)
{
    unsigned kinds = 0;
    for (const struct stix_qualifier *q = group->qualifiers; q != NULL; q = q->next)
        kinds |= 1U << q->kind;
    const struct unit *only = inner->n == 1 ? &inner->list[0] : NULL;
    return only != NULL && only->kind == UNIT_PIECE && only->qualifiers == 0 && kinds != 0 ? only
                                                                                           : NULL;
}

static bool normalize_group(struct stix_normal *n, const struct stix_pattern_node *node,
                            struct units *out)
{
    struct units inner;
    struct unit unit = {.kind = UNIT_PIECE};
    struct isg_buf text;
    struct isg_buf tail;
    if (!normalize(n, node->first, &inner))
        return false;
    isg_buf_init(&tail, ISG_BUF_NO_MAX);
    unit.qualifiers = put_qualifiers(n, node, &tail);
    if (unit.qualifiers == 0) {
        isg_buf_done(&tail);
        *out = inner;
        return true;
    }
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    bool good = finish(n, &inner);
    bool brackets = bare(node, &inner) == NULL;
    isg_buf_puts(&text, brackets ? "(" : "");
    put_units(&inner, &text);
    isg_buf_puts(&text, brackets ? ")" : "");
    isg_buf_put_str(&text, isg_buf_str(&tail));
    good = good && tail.err == ISG_OK && stix_normal_keep(n, &text, &unit.text);
    isg_buf_done(&text);
    isg_buf_done(&tail);
    return good ? one_unit(n, unit, out) : stix_normal_fail(n, ISG_ENOMEM);
}

/* --- chains --- */

struct chain {
    enum unit_kind kind;
    const struct units *children;
    size_t n;
    size_t *choice; /* the alternative taken of each child */
};

/* The parts of one choice; a part of the same kind gives its own. */
static size_t collect_parts(const struct chain *chain, struct unit *parts)
{
    size_t count = 0;
    for (size_t i = 0; i < chain->n; i++) {
        const struct unit *unit = &chain->children[i].list[chain->choice[i]];
        bool same = unit->kind == chain->kind;
        size_t n = same ? unit->parts_n : 1;
        if (parts != NULL)
            memcpy(parts + count, same ? unit->parts : unit, n * sizeof *parts);
        count += n;
    }
    return count;
}

static bool add_choice(struct stix_normal *n, const struct chain *chain, struct units *out)
{
    struct unit unit = {.kind = chain->kind};
    struct isg_buf text;
    unit.parts_n = collect_parts(chain, NULL);
    unit.parts = stix_normal_alloc(n, unit.parts_n, sizeof *unit.parts);
    if (unit.parts == NULL || !stix_normal_work(n, unit.parts_n * 8))
        return false;
    (void)collect_parts(chain, unit.parts);
    if (chain->kind == UNIT_AND)
        qsort(unit.parts, unit.parts_n, sizeof *unit.parts, by_text);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    for (size_t i = 0; i < unit.parts_n; i++) {
        if (i > 0)
            isg_buf_puts(&text, chain->kind == UNIT_AND ? " AND " : " FOLLOWEDBY ");
        put_unit(&unit.parts[i], true, &text);
    }
    bool good = stix_normal_keep(n, &text, &unit.text);
    isg_buf_done(&text);
    if (good)
        out->list[out->n++] = unit;
    return good;
}

/* Count up the choice, the last child first; false after the last one. */
static bool next_choice(struct chain *chain)
{
    for (size_t i = chain->n; i > 0; i--) {
        if (++chain->choice[i - 1] < chain->children[i - 1].n)
            return true;
        chain->choice[i - 1] = 0;
    }
    return false;
}

static bool distribute(struct stix_normal *n, struct chain *chain, struct units *out)
{
    uint64_t total = 1;
    for (size_t i = 0; i < chain->n; i++) {
        total *= chain->children[i].n;
        if (total > CHOICES_MAX)
            return stix_normal_fail(n, ISG_ELIMIT);
    }
    chain->choice = stix_normal_alloc(n, chain->n, sizeof *chain->choice);
    if (chain->choice == NULL || !stix_normal_work(n, total) || !units_new(n, (size_t)total, out))
        return false;
    do {
        if (!add_choice(n, chain, out))
            return false;
    } while (next_choice(chain));
    return absorb(n, out);
}

static bool normalize_children(struct stix_normal *n, const struct stix_pattern_node *node,
                               struct units **out, size_t *out_n)
{
    size_t count = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        count++;
    struct units *children = stix_normal_alloc(n, count, sizeof *children);
    if (children == NULL)
        return false;
    count = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        if (!normalize(n, child, &children[count++]))
            return false;
    *out = children;
    *out_n = count;
    return true;
}

static bool normalize_or(struct stix_normal *n, const struct units *children, size_t count,
                         struct units *out)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += children[i].n;
    if (!units_new(n, total, out))
        return false;
    for (size_t i = 0; i < count; i++) {
        memcpy(out->list + out->n, children[i].list, children[i].n * sizeof *out->list);
        out->n += children[i].n;
    }
    return absorb(n, out);
}

static bool normalize_chain(struct stix_normal *n, const struct stix_pattern_node *node,
                            struct units *out)
{
    struct units *children = NULL;
    size_t count = 0;
    if (!normalize_children(n, node, &children, &count))
        return false;
    if (node->kind == STIX_NODE_OBS_OR)
        return normalize_or(n, children, count, out);
    struct chain chain = {.kind = node->kind == STIX_NODE_OBS_AND ? UNIT_AND : UNIT_FOLLOWEDBY,
                          .children = children,
                          .n = count};
    return distribute(n, &chain, out);
}

static bool normalize(struct stix_normal *n, const struct stix_pattern_node *node,
                      struct units *out)
{
    if (node->kind == STIX_NODE_OBSERVATION)
        return normalize_observation(n, node, out);
    if (node->kind == STIX_NODE_GROUP)
        return normalize_group(n, node, out);
    return normalize_chain(n, node, out);
}

/* --- whole patterns --- */

bool stix_normal_print(struct stix_normal *n, const struct stix_pattern_node *root,
                       struct isg_buf *out)
{
    struct units units = {0};
    bool good = stix_normal_atoms(n, root) && normalize(n, root, &units) && finish(n, &units);
    if (good)
        put_units(&units, out);
    free(n->atoms);
    n->atoms = NULL;
    return good;
}

static int print_tree(const struct stix_pattern *pattern, struct isg_buf *out, struct isg_fail *why)
{
    struct stix_normal n = {.arena = isg_arena_new(ARENA_MAX),
                            .why = why,
                            .version = pattern->version,
                            .work = WORK_MAX};
    if (n.arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    (void)stix_normal_print(&n, pattern->root, out);
    isg_arena_free(&n.arena);
    return n.err != ISG_OK ? n.err : out->err;
}

static int print_form(struct isg_str text, enum stix_pattern_version version, struct isg_buf *out,
                      struct isg_fail *why)
{
    struct isg_arena *arena = stix_pattern_arena(text.n);
    struct stix_pattern *pattern = NULL;
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_pattern_parse(text, version, arena, &pattern, why);
    if (err == ISG_OK)
        err = stix_pattern_conform(pattern, arena, why);
    if (err == ISG_OK)
        err = print_tree(pattern, out, why);
    isg_arena_free(&arena);
    return err;
}

/* Distribution can put brackets around FOLLOWEDBY where there were none: so many that none may be. */
static int check_depth(struct isg_str form, enum stix_pattern_version version, struct isg_fail *why)
{
    struct isg_arena *arena = stix_pattern_arena(form.n);
    struct stix_pattern *pattern = NULL;
    if (arena == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = stix_pattern_parse(form, version, arena, &pattern, why);
    isg_arena_free(&arena);
    return err == ISG_ELIMIT
               ? isg_fail(why, err, "the normal form of the pattern is nested too deeply")
               : err;
}

int stix_pattern_print(struct isg_str text, enum stix_pattern_version version, struct isg_buf *out,
                       struct isg_fail *why)
{
    struct isg_buf form;
    isg_buf_init(&form, ISG_BUF_NO_MAX);
    int err = print_form(text, version, &form, why);
    if (err == ISG_OK)
        err = check_depth(isg_buf_str(&form), version, why);
    if (err == ISG_OK)
        isg_buf_put_str(out, isg_buf_str(&form));
    isg_buf_done(&form);
    if (err == ISG_OK && out->err != ISG_OK)
        err = isg_fail(why, out->err, "no room for the normal form");
    return err;
}

int stix_pattern_equivalent(struct isg_str a, struct isg_str b, enum stix_pattern_version version,
                            bool *out_equivalent, struct isg_fail *why)
{
    struct isg_buf first;
    struct isg_buf second;
    isg_buf_init(&first, ISG_BUF_NO_MAX);
    isg_buf_init(&second, ISG_BUF_NO_MAX);
    if (isg_str_eq(a, b)) {
        int valid = stix_pattern_check(a, version, why);
        if (valid == ISG_OK)
            *out_equivalent = true;
        return valid;
    }
    int err = print_form(a, version, &first, why);
    if (err == ISG_OK)
        err = print_form(b, version, &second, why);
    if (err == ISG_OK)
        *out_equivalent = isg_str_eq(isg_buf_str(&first), isg_buf_str(&second));
    isg_buf_done(&first);
    isg_buf_done(&second);
    return err;
}
