#include "gateway/cli/feeds_status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cli/cli.h"
#include "stix/base/arena.h"
#include "stix/base/utf8.h"

enum { ARENA_MAX = 64 << 20, TO_SECONDS = sizeof "2026-01-01T00:00:00" - 1 };

/* A column: what it shows of an entry. */
struct column {
    const char *title;
    const char *member;
    const char *(*cell)(struct isg_arena *arena, const struct stix_json *value);
};

/* What comes from other servers moves no cursor. */
static const char *text_cell(struct isg_arena *arena, const struct stix_json *value)
{
    char *text = isg_arena_copy(arena, stix_json_str(value));
    if (text == NULL)
        return "";
    isg_utf8_printable(text);
    return text;
}

/* To the second; "never" where there is none. */
static const char *time_cell(struct isg_arena *arena, const struct stix_json *value)
{
    struct isg_str text = stix_json_str(value);
    if (text.n < TO_SECONDS)
        return "never";
    return isg_arena_printf(arena, "%.*sZ", TO_SECONDS, text.p);
}

static const char *count_cell(struct isg_arena *arena, const struct stix_json *value)
{
    int64_t n;
    return stix_json_int(value, &n) ? isg_arena_printf(arena, "%" PRId64, n) : "";
}

static const struct column feed_columns[] = {{"name", "name", text_cell},
                                             {"state", "state", text_cell},
                                             {"success", "last_success", time_cell},
                                             {"next", "next_run", time_cell},
                                             {"objects", "total", count_cell},
                                             {"added", "added", count_cell},
                                             {"changed", "changed", count_cell},
                                             {"same", "same", count_cell},
                                             {"refused", "refused", count_cell},
                                             {"excluded", "excluded", count_cell},
                                             {NULL, NULL, NULL}};

static const struct column target_columns[] = {{"name", "name", text_cell},
                                               {"state", "state", text_cell},
                                               {"success", "last_success", time_cell},
                                               {"next", "next_run", time_cell},
                                               {"backlog", "backlog", count_cell},
                                               {"sent", "sent", count_cell},
                                               {"refused", "sent_refused", count_cell},
                                               {"added", "added", count_cell},
                                               {NULL, NULL, NULL}};

static void print_table(const struct stix_json *list, const struct column *columns,
                        struct isg_arena *arena)
{
    const char *titles[16];
    size_t n = 0;
    size_t rows = stix_json_size(list);
    for (; columns[n].title != NULL; n++)
        titles[n] = columns[n].title;
    const char **cells = isg_arena_alloc(arena, rows * n * sizeof *cells);
    for (size_t i = 0; cells != NULL && i < rows * n; i++) {
        const struct column *column = &columns[i % n];
        cells[i] = column->cell(arena, stix_json_get(stix_json_at(list, i / n), column->member));
    }
    if (cells != NULL)
        cli_table(titles, n, cells, rows);
}

/* ---- what has to be known ------------------------------------------------------------------- */

static void say_error(const struct stix_json *entry, const char *name, struct isg_arena *arena)
{
    int64_t failures = 0;
    const char *error = text_cell(arena, stix_json_get(entry, "last_error"));
    (void)stix_json_int(stix_json_get(entry, "failures"), &failures);
    if (error[0] != '\0' && failures > 1)
        printf("%s: %s (%" PRId64 " times in a row)\n", name, error, failures);
    else if (error[0] != '\0')
        printf("%s: %s\n", name, error);
}

static void say_refusal(const struct stix_json *entry, const char *name, struct isg_arena *arena)
{
    const char *refusal = text_cell(arena, stix_json_get(entry, "last_refusal"));
    if (refusal[0] != '\0')
        printf("%s: refused last: %s\n", name, refusal);
}

static void say_held(const struct stix_json *entry, const char *name)
{
    if (stix_json_bool(stix_json_get(entry, "removals_held")))
        printf(
            "%s: much is missing from the source, removals wait: isg feed run %s --dry-run, then "
            "--accept-shrink\n",
            name, name);
}

static void say_progress(const struct stix_json *entry, const char *name)
{
    static const char *const counts[] = {"bytes", "documents", "objects", "stored"};
    const struct stix_json *progress = stix_json_get(entry, "progress");
    if (progress == NULL)
        return;
    printf("%s: in progress: %.*s", name, ISG_STR_ARG(stix_json_get_str(progress, "stage")));
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        int64_t n = 0;
        if (stix_json_int(stix_json_get(progress, counts[i]), &n) && n > 0)
            printf(", %" PRId64 " %s", n, counts[i]);
    }
    (void)putchar('\n');
}

void status_print(const struct stix_json *list, const char *kind)
{
    size_t rows = stix_json_size(list);
    if (rows == 0)
        printf("no %ss\n", kind);
    struct isg_arena *arena = rows == 0 ? NULL : isg_arena_new(ARENA_MAX);
    if (arena == NULL)
        return;
    print_table(list, strcmp(kind, "feed") == 0 ? feed_columns : target_columns, arena);
    for (size_t i = 0; i < rows; i++) {
        const struct stix_json *entry = stix_json_at(list, i);
        const char *name = text_cell(arena, stix_json_get(entry, "name"));
        say_error(entry, name, arena);
        say_refusal(entry, name, arena);
        say_held(entry, name);
        say_progress(entry, name);
    }
    isg_arena_free(&arena);
}
