#include "gateway/taxii/status.h"

#include "stix/base/jsonw.h"
#include "stix/base/time.h"

static bool is_success(const struct ingest_outcome *outcome)
{
    return outcome->verdict == INGEST_ADDED || outcome->verdict == INGEST_SAME;
}

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

static void put_list(struct isg_jsonw *w, const char *name, bool success, const char *date,
                     const struct ingest_outcome *outcomes, size_t n)
{
    isg_jsonw_name(w, name);
    isg_jsonw_list(w);
    for (size_t i = 0; i < n; i++) {
        const struct ingest_outcome *outcome = &outcomes[i];
        if (is_success(outcome) != success)
            continue;
        isg_jsonw_object(w);
        isg_jsonw_put_str(w, "id", outcome->id.n > 0 ? outcome->id : ISG_STR("unknown"));
        isg_jsonw_put_str(w, "version",
                          outcome->version.n > 0 ? outcome->version : isg_str_of(date));
        isg_jsonw_put(w, "message", message_of(outcome));
        isg_jsonw_end(w);
    }
    isg_jsonw_end(w);
}

void status_write(struct isg_buf *out, const char *id, int64_t request_us,
                  const struct ingest_outcome *outcomes, size_t n)
{
    char date[ISG_TIME_TEXT];
    struct isg_jsonw w;
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += is_success(&outcomes[i]);
    isg_time_format(request_us, 6, date);
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "id", id);
    isg_jsonw_put(&w, "status", "complete");
    isg_jsonw_put(&w, "request_timestamp", date);
    isg_jsonw_put_int(&w, "total_count", (int64_t)n);
    isg_jsonw_put_int(&w, "success_count", (int64_t)good);
    if (good > 0)
        put_list(&w, "successes", true, date, outcomes, n);
    isg_jsonw_put_int(&w, "failure_count", (int64_t)(n - good));
    if (good < n)
        put_list(&w, "failures", false, date, outcomes, n);
    isg_jsonw_put_int(&w, "pending_count", 0);
    isg_jsonw_end(&w);
}
