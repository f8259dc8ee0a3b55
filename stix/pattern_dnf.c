/*
 * Comparison expressions as OR of ANDs of atoms, with duplicates and absorbed terms left out. A
 * term whose atoms ask for two types of object holds of none (S-112) and is left out, too.
 */
#include <stdlib.h>
#include <string.h>

#include "stix/network.h"
#include "stix/pattern_normal.h"

bool stix_normal_fail(struct stix_normal *n, int code)
{
    if (n->err == ISG_OK)
        n->err = isg_fail(n->why, code, "%s",
                          code == ISG_ELIMIT ? "the normal form of the pattern is too large"
                                             : "no memory");
    return false;
}

bool stix_normal_work(struct stix_normal *n, uint64_t units)
{
    if (n->err != ISG_OK)
        return false;
    if (units > n->work)
        return stix_normal_fail(n, ISG_ELIMIT);
    n->work -= units;
    return true;
}

void *stix_normal_alloc(struct stix_normal *n, size_t count, size_t size)
{
    void *p = count <= SIZE_MAX / size ? isg_arena_alloc(n->arena, count * size) : NULL;
    if (p == NULL)
        (void)stix_normal_fail(n, ISG_ENOMEM);
    return p;
}

bool stix_normal_keep(struct stix_normal *n, struct isg_buf *buf, struct isg_str *out)
{
    if (buf->err != ISG_OK)
        return stix_normal_fail(n, buf->err);
    const char *copy = isg_arena_copy(n->arena, isg_buf_str(buf));
    if (copy == NULL)
        return stix_normal_fail(n, ISG_ENOMEM);
    *out = (struct isg_str){copy, buf->len};
    isg_buf_reset(buf);
    return true;
}

/* --- atoms --- */

/* NOT in front of = and != is the other one; types that do not compare change nothing (S-118). */
static const char *operator_of(const struct stix_test *test, bool subset_is_equal)
{
    static const char *const names[][2] = {
        [STIX_OP_EQ] = {" = ", " != "},
        [STIX_OP_NE] = {" != ", " = "},
        [STIX_OP_LT] = {" < ", " NOT < "},
        [STIX_OP_LE] = {" <= ", " NOT <= "},
        [STIX_OP_GT] = {" > ", " NOT > "},
        [STIX_OP_GE] = {" >= ", " NOT >= "},
        [STIX_OP_IN] = {" = ", " != "},
        [STIX_OP_LIKE] = {" LIKE ", " NOT LIKE "},
        [STIX_OP_MATCHES] = {" MATCHES ", " NOT MATCHES "},
        [STIX_OP_ISSUBSET] = {" ISSUBSET ", " NOT ISSUBSET "},
        [STIX_OP_ISSUPERSET] = {" ISSUPERSET ", " NOT ISSUPERSET "},
        [STIX_OP_EXISTS] = {"EXISTS ", "NOT EXISTS "},
    };
    return names[subset_is_equal ? STIX_OP_EQ : test->op][test->negated];
}

static bool add_atom(struct stix_normal *n, const struct stix_test *test, struct isg_buf *text)
{
    if (n->atoms_n == n->atoms_cap) {
        size_t cap = n->atoms_cap == 0 ? 64 : n->atoms_cap * 2;
        struct stix_atom *atoms = realloc(n->atoms, cap * sizeof *atoms);
        if (atoms == NULL)
            return stix_normal_fail(n, ISG_ENOMEM);
        n->atoms = atoms;
        n->atoms_cap = cap;
    }
    struct stix_atom *atom = &n->atoms[n->atoms_n];
    *atom = (struct stix_atom){.type = test->path.type};
    if (!stix_normal_keep(n, text, &atom->text))
        return false;
    n->atoms_n++;
    return true;
}

static bool add_comparison(struct stix_normal *n, const struct stix_test *test,
                           const struct stix_literal *literal, struct isg_buf *text)
{
    struct stix_network network;
    bool single = test->op == STIX_OP_ISSUBSET && stix_network_read(literal->text, &network) &&
                  network.prefix == network.bits;
    stix_path_print(&test->path, text);
    isg_buf_puts(text, operator_of(test, single));
    stix_literal_print(literal, test, text);
    return add_atom(n, test, text);
}

static bool has_any(const struct stix_path *path)
{
    for (const struct stix_step *s = path->first; s != NULL; s = s->next)
        if (s->kind == STIX_STEP_ANY)
            return true;
    return false;
}

static bool add_test(struct stix_normal *n, const struct stix_test *test, struct isg_buf *text)
{
    size_t first = n->atoms_n;
    bool good = true;
    if (test->op == STIX_OP_EXISTS) {
        isg_buf_puts(text, operator_of(test, false));
        stix_path_print(&test->path, text);
        good = add_atom(n, test, text);
    } else if (test->op == STIX_OP_IN && test->negated && has_any(&test->path)) {
        good = stix_not_in_print(n, test, text) && add_atom(n, test, text);
    } else {
        for (const struct stix_literal *l = test->operands; l != NULL && good; l = l->next)
            good = add_comparison(n, test, l, text);
    }
    if (!good)
        return false;
    n->atoms[first].last = n->atoms_n;
    n->atoms[first].all = test->negated;
    return true;
}

static bool add_tests(struct stix_normal *n, const struct stix_pattern_node *node,
                      struct isg_buf *text)
{
    if (node->kind == STIX_NODE_TEST)
        return add_test(n, node->test, text);
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        if (!add_tests(n, child, text))
            return false;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp((*(const struct stix_atom *const *)a)->text,
                       (*(const struct stix_atom *const *)b)->text);
}

static bool rank_atoms(struct stix_normal *n)
{
    struct stix_atom **sorted = stix_normal_alloc(n, n->atoms_n + 1, sizeof(void *));
    n->ranked = stix_normal_alloc(n, n->atoms_n + 1, sizeof(void *));
    if (sorted == NULL || n->ranked == NULL)
        return false;
    for (size_t i = 0; i < n->atoms_n; i++)
        sorted[i] = &n->atoms[i];
    qsort(sorted, n->atoms_n, sizeof(struct stix_atom *), by_text);
    size_t ranks = 0;
    for (size_t i = 0; i < n->atoms_n; i++) {
        if (i == 0 || !isg_str_eq(sorted[i - 1]->text, sorted[i]->text))
            n->ranked[ranks++] = sorted[i];
        sorted[i]->rank = ranks - 1;
    }
    return true;
}

bool stix_normal_atoms(struct stix_normal *n, const struct stix_pattern_node *root)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    bool good = add_tests(n, root, &text) && rank_atoms(n);
    isg_buf_done(&text);
    return good;
}

/* --- terms --- */

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void sort_term(struct stix_term *term)
{
    size_t n = 0;
    qsort(term->ranks, term->n, sizeof *term->ranks, by_number);
    for (size_t i = 0; i < term->n; i++)
        if (n == 0 || term->ranks[n - 1] != term->ranks[i])
            term->ranks[n++] = term->ranks[i];
    term->n = n;
}

/* Shorter ones first, so that who absorbs comes before what is absorbed. */
static int by_term(const void *a, const void *b)
{
    const struct stix_term *x = a;
    const struct stix_term *y = b;
    if (x->n != y->n)
        return x->n > y->n ? 1 : -1;
    for (size_t i = 0; i < x->n; i++)
        if (x->ranks[i] != y->ranks[i])
            return x->ranks[i] > y->ranks[i] ? 1 : -1;
    return 0;
}

static bool is_subset(const struct stix_term *inner, const struct stix_term *outer)
{
    size_t j = 0;
    for (size_t i = 0; i < inner->n; i++) {
        while (j < outer->n && outer->ranks[j] < inner->ranks[i])
            j++;
        if (j == outer->n || outer->ranks[j] != inner->ranks[i])
            return false;
    }
    return true;
}

/* Terms that stay, in lists by their first atom: only those lists can hold who absorbs. */
struct kept {
    size_t *heads; /* of each rank, index + 1 */
    size_t *next;
};

static bool is_absorbed(struct stix_normal *n, const struct stix_dnf *dnf, const struct kept *kept,
                        const struct stix_term *term)
{
    for (size_t i = 0; i < term->n; i++)
        for (size_t at = kept->heads[term->ranks[i]]; at != 0; at = kept->next[at - 1])
            if (!stix_normal_work(n, term->n) || is_subset(&dnf->terms[at - 1], term))
                return true;
    return false;
}

bool stix_dnf_absorb(struct stix_normal *n, struct stix_dnf *dnf)
{
    if (dnf->n < 2)
        return n->err == ISG_OK;
    struct kept kept = {calloc(n->atoms_n + 1, sizeof *kept.heads),
                        calloc(dnf->n + 1, sizeof *kept.next)};
    bool good = kept.heads != NULL && kept.next != NULL;
    size_t count = 0;
    if (!good)
        (void)stix_normal_fail(n, ISG_ENOMEM);
    good = good && stix_normal_work(n, n->atoms_n / 64 + dnf->n);
    qsort(dnf->terms, dnf->n, sizeof *dnf->terms, by_term);
    for (size_t i = 0; i < dnf->n && good; i++) {
        if (is_absorbed(n, dnf, &kept, &dnf->terms[i]))
            continue;
        size_t first = dnf->terms[i].ranks[0];
        dnf->terms[count] = dnf->terms[i];
        kept.next[count] = kept.heads[first];
        kept.heads[first] = ++count;
    }
    dnf->n = count;
    free(kept.heads);
    free(kept.next);
    return n->err == ISG_OK;
}

/* --- from the tree --- */

static bool dnf_new(struct stix_normal *n, size_t terms, struct stix_dnf *out)
{
    *out = (struct stix_dnf){stix_normal_alloc(n, terms + 1, sizeof *out->terms), 0};
    return out->terms != NULL && stix_normal_work(n, terms);
}

static bool add_term(struct stix_normal *n, struct stix_dnf *dnf, size_t ranks)
{
    struct stix_term term = {stix_normal_alloc(n, ranks + 1, sizeof *term.ranks), ranks};
    if (term.ranks == NULL || !stix_normal_work(n, ranks))
        return false;
    dnf->terms[dnf->n++] = term;
    return true;
}

/* One test: its atoms are alternatives, or one term. */
static bool dnf_of_test(struct stix_normal *n, struct stix_dnf *out)
{
    size_t first = n->at;
    size_t count = n->atoms[first].last - first;
    bool all = n->atoms[first].all;
    n->at += count;
    if (!dnf_new(n, count, out))
        return false;
    if (all && !add_term(n, out, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!all && !add_term(n, out, 1))
            return false;
        out->terms[all ? 0 : i].ranks[all ? i : 0] = n->atoms[first + i].rank;
    }
    if (all)
        sort_term(&out->terms[0]);
    return true;
}

static bool dnf_of_or(struct stix_normal *n, const struct stix_pattern_node *node,
                      struct stix_dnf *out)
{
    size_t children = 0;
    size_t total = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        children++;
    struct stix_dnf *parts = stix_normal_alloc(n, children, sizeof *parts);
    if (parts == NULL)
        return false;
    children = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next) {
        if (!stix_normal_dnf(n, child, &parts[children]))
            return false;
        total += parts[children++].n;
    }
    if (!dnf_new(n, total, out))
        return false;
    for (size_t i = 0; i < children; i++) {
        if (parts[i].n > 0)
            memcpy(out->terms + out->n, parts[i].terms, parts[i].n * sizeof *out->terms);
        out->n += parts[i].n;
    }
    return stix_dnf_absorb(n, out);
}

static bool one_type(const struct stix_normal *n, const struct stix_term *a,
                     const struct stix_term *b)
{
    return isg_str_eq(n->ranked[a->ranks[0]]->type, n->ranked[b->ranks[0]]->type);
}

static bool multiply(struct stix_normal *n, const struct stix_dnf *a, const struct stix_dnf *b,
                     struct stix_dnf *out)
{
    if (!stix_normal_work(n, (uint64_t)a->n * b->n) || !dnf_new(n, a->n * b->n, out))
        return false;
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++) {
            const struct stix_term *x = &a->terms[i];
            const struct stix_term *y = &b->terms[j];
            if (!one_type(n, x, y))
                continue;
            if (!add_term(n, out, x->n + y->n))
                return false;
            struct stix_term *both = &out->terms[out->n - 1];
            memcpy(both->ranks, x->ranks, x->n * sizeof *x->ranks);
            memcpy(both->ranks + x->n, y->ranks, y->n * sizeof *y->ranks);
            sort_term(both);
        }
    return stix_dnf_absorb(n, out);
}

/* Single terms first, all at once: long chains of AND are one term. */
static bool gather(struct stix_normal *n, struct stix_dnf *parts, size_t *count)
{
    size_t total = 0;
    size_t left = 0;
    for (size_t i = 0; i < *count; i++)
        total += parts[i].n == 1 ? parts[i].terms[0].n : 0;
    struct stix_dnf all;
    if (total == 0)
        return true;
    if (!dnf_new(n, 1, &all) || !add_term(n, &all, total))
        return false;
    all.terms[0].n = 0;
    for (size_t i = 0; i < *count; i++) {
        if (parts[i].n != 1) {
            parts[left++] = parts[i];
            continue;
        }
        const struct stix_term *term = &parts[i].terms[0];
        if (all.terms[0].n > 0 && !one_type(n, &all.terms[0], term))
            continue; /* not reached in a pattern that conforms */
        memcpy(all.terms[0].ranks + all.terms[0].n, term->ranks, term->n * sizeof *term->ranks);
        all.terms[0].n += term->n;
    }
    sort_term(&all.terms[0]);
    parts[left++] = all;
    *count = left;
    return true;
}

static bool dnf_of_and(struct stix_normal *n, const struct stix_pattern_node *node,
                       struct stix_dnf *out)
{
    size_t count = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        count++;
    struct stix_dnf *parts = stix_normal_alloc(n, count + 1, sizeof *parts);
    if (parts == NULL)
        return false;
    count = 0;
    for (const struct stix_pattern_node *child = node->first; child != NULL; child = child->next)
        if (!stix_normal_dnf(n, child, &parts[count++]))
            return false;
    if (!gather(n, parts, &count))
        return false;
    struct stix_dnf product = parts[count - 1];
    for (size_t i = 0; i + 1 < count; i++) {
        struct stix_dnf next;
        if (!multiply(n, &parts[i], &product, &next))
            return false;
        product = next;
    }
    *out = product;
    return true;
}

bool stix_normal_dnf(struct stix_normal *n, const struct stix_pattern_node *node,
                     struct stix_dnf *out)
{
    if (node->kind == STIX_NODE_TEST)
        return dnf_of_test(n, out) && stix_dnf_absorb(n, out);
    return node->kind == STIX_NODE_OR ? dnf_of_or(n, node, out) : dnf_of_and(n, node, out);
}

void stix_dnf_print(const struct stix_normal *n, const struct stix_dnf *dnf, struct isg_buf *out)
{
    isg_buf_putc(out, '[');
    for (size_t i = 0; i < dnf->n; i++) {
        isg_buf_puts(out, i > 0 ? " OR " : "");
        for (size_t j = 0; j < dnf->terms[i].n; j++) {
            isg_buf_puts(out, j > 0 ? " AND " : "");
            isg_buf_put_str(out, n->ranked[dnf->terms[i].ranks[j]]->text);
        }
    }
    isg_buf_putc(out, ']');
}
