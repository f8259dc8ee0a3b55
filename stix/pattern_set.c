/*
 * The one set that stays a set in the normal form. NOT IN over [*] asks for one element that is none
 * of the literals; AND of != asks for one element each, so that is no atom to split.
 */
#include <stdlib.h>

#include "stix/chars.h"
#include "stix/pattern_normal.h"

static int by_view(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* Literals of a set as texts: sorted, each once. */
static bool sort_set(struct stix_normal *n, const struct stix_test *test, struct isg_buf *text,
                     struct isg_str **out, size_t *out_n)
{
    size_t count = 0;
    for (const struct stix_literal *l = test->operands; l != NULL; l = l->next)
        count++;
    struct isg_str *views = stix_normal_alloc(n, count, sizeof *views);
    if (views == NULL)
        return false;
    count = 0;
    for (const struct stix_literal *l = test->operands; l != NULL; l = l->next) {
        stix_literal_print(l, test, text);
        if (!stix_normal_keep(n, text, &views[count++]))
            return false;
    }
    qsort(views, count, sizeof *views, by_view);
    *out_n = 0;
    for (size_t i = 0; i < count; i++)
        if (*out_n == 0 || !isg_str_eq(views[*out_n - 1], views[i]))
            views[(*out_n)++] = views[i];
    *out = views;
    return true;
}

/*
 * The texts of literals of one type may be of two, while a set is of one (S-110): strings for octets
 * are written in hex, but for those that are no octets. These equal no value: they may go.
 */
static void drop_strings_beside_octets(struct isg_str *views, size_t *count)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (views[i].p[0] != '\'')
            views[kept++] = views[i];
    if (kept > 0)
        *count = kept;
}

static bool is_number(struct isg_str text)
{
    return is_digit(text.p[0]) || text.p[0] == '-';
}

static bool is_whole(struct isg_str text)
{
    return is_number(text) && isg_str_find(text, '.') == SIZE_MAX;
}

/* Likewise 5.0 is written 5; beside 1.5 it is 5.0 again. */
static void print_literals(const struct isg_str *views, size_t count, struct isg_buf *out)
{
    bool real = false;
    for (size_t i = 0; i < count; i++)
        real = real || (is_number(views[i]) && !is_whole(views[i]));
    for (size_t i = 0; i < count; i++) {
        isg_buf_puts(out, i > 0 ? ", " : "");
        isg_buf_put_str(out, views[i]);
        isg_buf_puts(out, real && is_whole(views[i]) ? ".0" : "");
    }
}

bool stix_not_in_print(struct stix_normal *n, const struct stix_test *test, struct isg_buf *text)
{
    struct isg_str *views = NULL;
    size_t count = 0;
    if (!sort_set(n, test, text, &views, &count))
        return false;
    drop_strings_beside_octets(views, &count);
    stix_path_print(&test->path, text);
    isg_buf_puts(text, count == 1 ? " != " : " NOT IN (");
    print_literals(views, count, text);
    isg_buf_puts(text, count == 1 ? "" : ")");
    return true;
}
