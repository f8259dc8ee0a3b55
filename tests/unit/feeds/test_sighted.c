/* What observations are compared by: one record each, only where it is asked for, and nothing more in it. */
#include <stdio.h>
#include <string.h>

#include "feeds/sighted.h"
#include "tests/support/tap.h"

struct seen {
    struct isg_buf notes; /* a line each */
    size_t count;
    size_t observed;
    size_t behind; /* notes whose observation came right before */
    char last[STIX_ID_MAX + 1];
};

static int keep(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct seen *seen = arg;
    struct stix_json *json = NULL;
    struct sighted says;
    int err = stix_json_parse(object, NULL, &json, why);
    bool note = facet != NULL && strcmp(facet, SIGHTED_FACET) == 0;
    if (note && sighted_read(json, &says)) {
        seen->count++;
        seen->behind += isg_str_is(says.observed, seen->last);
        isg_buf_put_str(&seen->notes, object);
        isg_buf_putc(&seen->notes, '\n');
    } else if (!note && isg_str_is(stix_json_get_str(json, "type"), "observed-data")) {
        seen->observed++;
        (void)snprintf(seen->last, sizeof seen->last, "%.*s",
                       ISG_STR_ARG(stix_json_get_str(json, "id")));
    }
    stix_json_free(&json);
    return err;
}

static void map(const char *format, struct isg_str text, bool sighted, struct seen *seen)
{
    struct isg_fail why = {.code = ISG_OK};
    struct feed_context context = {.now_us = INT64_C(1930000000000000),
                                   .owner = ISG_STR("St. Mary"),
                                   .emit = keep,
                                   .arg = seen,
                                   .sighted = sighted};
    *seen = (struct seen){.count = 0};
    isg_buf_init(&seen->notes, ISG_BUF_NO_MAX);
    feed_namespace(ISG_STR("urn:example:sighted"), context.space);
    is_int(feed_map(feed_source_find(isg_str_of(format)), &context, text, &why), ISG_OK, "%s: %s",
           format, why.text);
}

static const char eve[] =
    "{\"timestamp\":\"2031-03-29T17:01:00Z\",\"event_type\":\"alert\",\"src_ip\":\"192.168.0.2\","
    "\"dest_ip\":\"8.8.4.4\",\"dest_port\":443,\"proto\":\"TCP\",\"alert\":{\"signature_id\":7,"
    "\"signature\":\"x\",\"metadata\":{\"stix_id\":"
    "[\"indicator--11111111-1111-4111-8111-111111111111\"],\"x\":[\"PATIENT\"]}},"
    "\"tls\":{\"sni\":\"one.invented.net\"},\"payload\":\"PATIENT\"}\n"
    "{\"timestamp\":\"2031-03-29T17:02:00Z\",\"event_type\":\"alert\",\"src_ip\":\"8.8.4.4\","
    "\"src_port\":53,\"dest_ip\":\"192.168.0.2\",\"dest_port\":5000,\"proto\":\"UDP\",\"alert\":"
    "{\"signature_id\":8,\"signature\":\"x\",\"metadata\":{\"stix_id\":[\"PATIENT\"]}}}\n";

static void test_notes(void)
{
    struct seen seen;
    map("suricata", ISG_STR(eve), true, &seen);
    is_int((long long)seen.observed, 2, "two observations");
    is_int((long long)seen.count, 2, "are told of in plain values");
    is_int((long long)seen.behind, 2, "right behind them");
    const char *notes = seen.notes.p;
    ok(strstr(notes, "\"peer\":\"8.8.4.4\",\"domain\":\"one.invented.net\"") != NULL, "values");
    ok(strstr(notes, "\"named\":\"indicator--11111111-1111-4111-8111-111111111111\",\"number\":1,"
                     "\"port\":443,\"outbound\":true,\"inbound\":false}") != NULL,
       "the rule's indicator, and where the connection went");
    ok(strstr(notes, "\"outbound\":false,\"inbound\":true}") != NULL, "or came from");
    ok(strstr(notes, "PATIENT") == NULL && strstr(notes, "192.168.") == NULL, "and nothing else");
    isg_buf_done(&seen.notes);
    map("suricata", ISG_STR(eve), false, &seen);
    is_int((long long)seen.count, 0, "nothing where nobody asks");
    is_int((long long)seen.observed, 2, "with the same observations");
    isg_buf_done(&seen.notes);
}

static void test_refused(void)
{
#define REST                                                                                 \
    ",\"where\":\"identity--11111111-1111-4111-8111-111111111111\",\"space\":"               \
    "\"11111111-1111-4111-8111-111111111111\",\"start\":\"2031-03-29T17:00:00Z\",\"first\":" \
    "\"2031-03-29T17:00:00Z\",\"last\":\"2031-03-29T17:00:00Z\""
#define SEEN "\"observed\":\"observed-data--11111111-1111-4111-8111-111111111111\""
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"{" SEEN REST ",\"number\":1,\"port\":0}", true},
        {"{" SEEN REST ",\"number\":0,\"port\":0}", false},
        {"{" SEEN REST ",\"number\":1}", false},
        {"{\"observed\":\"x\"" REST ",\"number\":1,\"port\":0}", false},
        {"{" SEEN ",\"number\":1,\"port\":0}", false},
        {"[]", false},
        {"null", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_json *json = NULL;
        struct sighted says;
        (void)stix_json_parse(isg_str_of(rows[i].text), NULL, &json, NULL);
        ok(sighted_read(json, &says) == rows[i].good, "%.60s", rows[i].text);
        stix_json_free(&json);
    }
}

int main(void)
{
    test_notes();
    test_refused();
    return tap_done();
}
