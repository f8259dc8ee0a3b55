#include "tests/support/cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "stix/base/buf.h"
#include "tests/support/tap.h"

void cases_each(const char *fixture, cases_line *call)
{
    char path[1024];
    size_t n = 0;
    size_t number = 1;
    (void)snprintf(path, sizeof path, "%s/%s", ISG_FIXTURES, fixture);
    char *text = tap_slurp(path, &n);
    struct isg_str rest = {text, n};
    struct isg_str line;
    ok(text != NULL && isg_str_split(&rest, '\n', &line) && rest.n > 0, "%s has cases", fixture);
    while (isg_str_split(&rest, '\n', &line)) {
        number++;
        if (line.n > 0)
            call(line, number);
    }
    free(text);
}

/* All bytes of a command's output. */
static char *read_command(const char *command, size_t *out_len)
{
    struct isg_buf text;
    char piece[65536];
    size_t n;
    FILE *pipe = popen(command, "r");
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    if (pipe == NULL)
        return NULL;
    while ((n = fread(piece, 1, sizeof piece, pipe)) > 0)
        isg_buf_put(&text, piece, n);
    char *bytes = pclose(pipe) == 0 ? isg_buf_take(&text, out_len) : NULL;
    isg_buf_done(&text);
    return bytes;
}

char *cases_corpus(const char *below, size_t *out_len)
{
    char command[4200];
    const char *path = tap_corpus(below);
    if (path == NULL)
        return NULL;
    if (!isg_str_ends(isg_str_of(path), ISG_STR(".xz")))
        return tap_slurp(path, out_len);
    (void)snprintf(command, sizeof command, "xz -dc '%s'", path);
    return read_command(command, out_len);
}
