/* Lines in, lines out. */
#include "gateway/cli/lines.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/cli/cli.h"

int cli_each_line(cli_answer *answer, void *arg)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int code = 0;
    struct isg_buf out;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        struct isg_str text = isg_str_trim((struct isg_str){line, (size_t)n});
        isg_buf_reset(&out);
        if (!answer(arg, text, &out))
            code = CLI_NO;
        cli_print(isg_buf_str(&out));
        (void)fflush(stdout);
    }
    free(line);
    isg_buf_done(&out);
    return code;
}

void cli_write_finding(struct isg_jsonw *w, const char *path, const char *rule, const char *message)
{
    isg_jsonw_object(w);
    isg_jsonw_put(w, "path", path);
    isg_jsonw_put(w, "rule", rule);
    isg_jsonw_put(w, "message", message);
    isg_jsonw_end(w);
}
