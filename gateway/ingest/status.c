#include "gateway/ingest/status.h"

#include "stix/base/jsonw.h"
#include "stix/base/time.h"

/* ---- lines ---------------------------------------------------------------------------------- */

static const char *message_of(const struct ingest_outcome *outcome)
{
    if (outcome->message != NULL)
        return outcome->message;
    switch (outcome->verdict) {
    case INGEST_SAME: return "already there"; /* T-119 */
    case INGEST_REFUSED: return "refused";
    case INGEST_FAILED: return "could not be stored";
    case INGEST_ADDED: break;
    }
    return NULL;
}

static void put_line(struct isg_buf *out, enum status_mark mark, const char *date,
                     const struct ingest_outcome *outcome, const char *message)
{
    struct isg_jsonw w;
    isg_buf_putc(out, (char)mark);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_str(&w, "id", outcome->id.n > 0 ? outcome->id : ISG_STR("unknown"));
    isg_jsonw_put_str(&w, "version", outcome->version.n > 0 ? outcome->version : isg_str_of(date));
    isg_jsonw_put(&w, "message", message);
    isg_jsonw_end(&w);
    isg_buf_putc(out, '\n');
}

void status_lines(struct isg_buf *out, const char *date, const struct ingest_outcome *outcomes,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool good = outcomes[i].verdict == INGEST_ADDED || outcomes[i].verdict == INGEST_SAME;
        put_line(out, good ? STATUS_SUCCESS : STATUS_FAILURE, date, &outcomes[i],
                 message_of(&outcomes[i]));
    }
}

void status_pending(struct isg_buf *out, const char *date, struct isg_str id,
                    struct isg_str version)
{
    const struct ingest_outcome outcome = {.id = id, .version = version};
    put_line(out, STATUS_PENDING, date, &outcome, NULL);
}

void status_fail(struct isg_buf *out, struct isg_str pending, const char *message)
{
    struct isg_str line;
    while (isg_str_split(&pending, '\n', &line)) {
        if (line.n < 3) /* behind the last one */
            continue;
        isg_buf_putc(out, STATUS_FAILURE);
        isg_buf_put(out, line.p + 1, line.n - 2); /* its object is open now */
        isg_buf_puts(out, ",\"message\":\"");
        isg_buf_puts(out, message);
        isg_buf_puts(out, "\"}\n");
    }
}

/* ---- the resource --------------------------------------------------------------------------- */

struct lines {
    const struct isg_str *parts;
    size_t n;
};

static size_t count_of(const struct lines *lines, enum status_mark mark)
{
    size_t count = 0;
    struct isg_str line;
    for (size_t i = 0; i < lines->n; i++)
        for (struct isg_str rest = lines->parts[i]; isg_str_split(&rest, '\n', &line);)
            count += line.n > 0 && line.p[0] == (char)mark;
    return count;
}

static void put_list(struct isg_jsonw *w, const char *name, const struct lines *lines,
                     enum status_mark mark)
{
    struct isg_str line;
    isg_jsonw_name(w, name);
    isg_jsonw_list(w);
    for (size_t i = 0; i < lines->n; i++)
        for (struct isg_str rest = lines->parts[i]; isg_str_split(&rest, '\n', &line);)
            if (line.n > 0 && line.p[0] == (char)mark)
                isg_jsonw_raw(w, isg_str_from(line, 1));
    isg_jsonw_end(w);
}

void status_render(struct isg_buf *out, const char *id, const char *date,
                   const struct isg_str *parts, size_t n)
{
    static const struct {
        enum status_mark mark;
        const char *count;
        const char *list;
    } rows[] = {{STATUS_SUCCESS, "success_count", "successes"},
                {STATUS_FAILURE, "failure_count", "failures"},
                {STATUS_PENDING, "pending_count", "pendings"}};
    enum { ROWS = sizeof rows / sizeof rows[0] };
    const struct lines lines = {parts, n};
    size_t counts[ROWS];
    size_t total = 0;
    struct isg_jsonw w;
    for (size_t i = 0; i < ROWS; i++)
        total += counts[i] = count_of(&lines, rows[i].mark);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "id", id);
    isg_jsonw_put(&w, "status", counts[ROWS - 1] > 0 ? "pending" : "complete"); /* T-093 */
    isg_jsonw_put(&w, "request_timestamp", date);
    isg_jsonw_put_int(&w, "total_count", (int64_t)total);
    for (size_t i = 0; i < ROWS; i++) {
        isg_jsonw_put_int(&w, rows[i].count, (int64_t)counts[i]);
        if (counts[i] > 0)
            put_list(&w, rows[i].list, &lines, rows[i].mark);
    }
    isg_jsonw_end(&w);
}

void status_write(struct isg_buf *out, const char *id, int64_t request_us,
                  const struct ingest_outcome *outcomes, size_t n)
{
    char date[ISG_TIME_TEXT];
    struct isg_buf lines;
    isg_time_format(request_us, 6, date);
    isg_buf_init(&lines, ISG_BUF_NO_MAX);
    status_lines(&lines, date, outcomes, n);
    const struct isg_str part = isg_buf_str(&lines);
    status_render(out, id, date, &part, 1);
    if (lines.err != ISG_OK)
        out->err = lines.err;
    isg_buf_done(&lines);
}
