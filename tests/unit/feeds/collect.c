#include "collect.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/csv_columns.h"
#include "feeds/exclude.h"
#include "stix/check.h"
#include "stix/json.h"
#include "tests/support/tap.h"

static void note_first(struct collected *c, struct isg_str object, const struct stix_report *report)
{
    if (c->invalid++ > 0)
        return;
    (void)stix_report_fail(report, &c->first);
    (void)snprintf(c->first_object, sizeof c->first_object, "%.*s", ISG_STR_ARG(object));
}

static void check(struct collected *c, struct isg_str object)
{
    struct stix_json *tree = NULL;
    struct stix_report report;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    stix_report_init(&report, arena, 0);
    if (stix_json_parse(object, NULL, &tree, &c->first) != ISG_OK)
        c->invalid++;
    else if (stix_check(tree, NULL, &report) != ISG_OK || report.errors > 0)
        note_first(c, object, &report);
    stix_json_free(&tree);
    isg_arena_free(&arena);
}

static int keep(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct collected *c = arg;
    (void)why;
    c->objects++;
    c->facets += facet != NULL && facet[0] != '@';
    check(c, object);
    isg_buf_put_str(&c->lines, object);
    isg_buf_putc(&c->lines, '\n');
    return c->lines.err;
}

static int collect(const char *format, const struct csv_profile *profile, struct isg_str text,
                   struct collected *out, struct isg_fail *why)
{
    struct feed_context context = {.now_us = 1700000000000000,
                                   .owner = ISG_STR("Example ISAO"),
                                   .emit = keep,
                                   .arg = out,
                                   .profile = profile};
    *out = (struct collected){0};
    isg_buf_init(&out->lines, ISG_BUF_NO_MAX);
    feed_namespace(ISG_STR(COLLECT_URN), context.space);
    struct exclude_lists *exercise = exclude_new(true); /* fixtures hold documentation values */
    context.exclude = exercise;
    int err = feed_map(feed_source_find(isg_str_of(format)), &context, text, why);
    out->records = context.records;
    out->excluded = context.excluded;
    out->rejected = context.rejected;
    exclude_free(&exercise);
    return err;
}

int collect_text(const char *format, struct isg_str text, struct collected *out,
                 struct isg_fail *why)
{
    return collect(format, NULL, text, out, why);
}

int collect_table(const char *columns, struct isg_str text, struct collected *out,
                  struct isg_fail *why)
{
    const struct csv_profile *profile = NULL;
    struct isg_arena *arena = isg_arena_new(1 << 20);
    *out = (struct collected){0};
    int err = csv_columns_read(isg_str_of(columns), arena, &profile, why);
    if (err == ISG_OK)
        err = collect("csv", profile, text, out, why);
    isg_arena_free(&arena);
    return err;
}

int collect_fixture(const char *format, const char *name, struct collected *out,
                    struct isg_fail *why)
{
    char path[512];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "%s/feeds/%s", ISG_FIXTURES, name);
    char *text = tap_slurp(path, &n);
    if (text == NULL) {
        *out = (struct collected){0};
        return isg_fail(why, ISG_EIO, "no fixture %s", name);
    }
    int err = collect_text(format, (struct isg_str){text, n}, out, why);
    free(text);
    return err;
}

void collect_done(struct collected *collected)
{
    isg_buf_done(&collected->lines);
}

/* Within the line: a strstr() under the sanitizers would measure all lines that follow. */
static size_t find_piece(struct isg_str line, const char *piece)
{
    size_t n = strlen(piece);
    for (size_t i = 0; i + n <= line.n; i++) {
        if (memcmp(line.p + i, piece, n) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool line_id(struct isg_str line, struct isg_str *out)
{
    size_t at = find_piece(line, "\"id\":\"");
    if (at == SIZE_MAX)
        return false;
    out->p = line.p + at + 6;
    out->n = isg_str_find(isg_str_from(line, at + 6), '"');
    return true;
}

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

size_t collect_count(const struct collected *collected, const char *type)
{
    struct isg_str *ids = calloc(collected->objects + 1, sizeof *ids);
    struct isg_str rest = isg_buf_str(&collected->lines);
    struct isg_str line;
    struct isg_str id;
    size_t n = 0;
    size_t type_n = strlen(type);
    while (ids != NULL && isg_str_split(&rest, '\n', &line)) {
        if (line_id(line, &id) && id.n > type_n + 2 && memcmp(id.p, type, type_n) == 0 &&
            memcmp(id.p + type_n, "--", 2) == 0)
            ids[n++] = id;
    }
    if (n > 1)
        qsort(ids, n, sizeof *ids, by_text);
    size_t different = 0;
    for (size_t i = 0; i < n; i++)
        different += i == 0 || !isg_str_eq(ids[i], ids[i - 1]);
    free(ids);
    return different;
}

size_t collect_lines(const struct collected *collected, const char *a, const char *b)
{
    struct isg_str rest = isg_buf_str(&collected->lines);
    struct isg_str line;
    size_t n = 0;
    while (isg_str_split(&rest, '\n', &line))
        n += line.n > 0 && find_piece(line, a) != SIZE_MAX && find_piece(line, b) != SIZE_MAX;
    return n;
}

char *collect_find(const struct collected *collected, const char *id)
{
    struct isg_str rest = isg_buf_str(&collected->lines);
    struct isg_str line;
    struct isg_str found;
    while (isg_str_split(&rest, '\n', &line)) {
        if (line_id(line, &found) && isg_str_is(found, id))
            return strndup(line.p, line.n);
    }
    return NULL;
}
