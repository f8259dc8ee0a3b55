/* The status resource of a push: T-005, T-092 to T-095, T-119, X-26. */
#include "gateway/ingest/status.h"
#include "tests/support/tap.h"

#define HEAD \
    "{\"id\":\"s\",\"status\":\"complete\",\"request_timestamp\":\"1970-01-01T00:00:01.000000Z\","

static const struct {
    const char *name;
    struct ingest_outcome outcomes[3];
    size_t n;
    const char *want;
} rows[] = {
    {"one added",
     {{INGEST_ADDED, {"a--1", 4}, {"v1", 2}, NULL}},
     1,
     HEAD
     "\"total_count\":1,\"success_count\":1,\"successes\":[{\"id\":\"a--1\",\"version\":\"v1\"}],"
     "\"failure_count\":0,\"pending_count\":0}"},
    {"one of each",
     {{INGEST_ADDED, {"a--1", 4}, {"v1", 2}, NULL},
      {INGEST_REFUSED, {"", 0}, {"", 0}, "/objects/1/id: missing (S-035)"},
      {INGEST_SAME, {"c--3", 4}, {"v3", 2}, NULL}},
     3,
     HEAD
     "\"total_count\":3,\"success_count\":2,\"successes\":[{\"id\":\"a--1\",\"version\":\"v1\"},"
     "{\"id\":\"c--3\",\"version\":\"v3\",\"message\":\"already there\"}],"
     "\"failure_count\":1,\"failures\":[{\"id\":\"unknown\","
     "\"version\":\"1970-01-01T00:00:01.000000Z\",\"message\":\"/objects/1/id: missing (S-035)\"}],"
     "\"pending_count\":0}"},
    {"all failed",
     {{INGEST_FAILED, {"a--1", 4}, {"v1", 2}, NULL}},
     1,
     HEAD
     "\"total_count\":1,\"success_count\":0,\"failure_count\":1,\"failures\":[{\"id\":\"a--1\","
     "\"version\":\"v1\",\"message\":\"could not be stored\"}],\"pending_count\":0}"},
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct isg_buf out;
        isg_buf_init(&out, 4096);
        status_write(&out, "s", 1000000, rows[i].outcomes, rows[i].n);
        is_str(out.p, rows[i].want, "%s", rows[i].name);
        isg_buf_done(&out);
    }
    return tap_done();
}
