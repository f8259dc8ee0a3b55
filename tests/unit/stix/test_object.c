/* One object on its way in: canonical bytes, digest, views, and what is refused. */
#include <string.h>

#include "stix/object.h"
#include "tests/support/tap.h"

static const char good[] =
    "{ \"type\": \"identity\", \"spec_version\": \"2.1\", \"name\": \"Example Hospital\",\n"
    "  \"id\": \"identity--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\",\n"
    "  \"created\": \"2024-03-01T00:00:00.000Z\", \"modified\": \"2024-03-02T00:00:00.1234567Z\",\n"
    "  \"identity_class\": \"organization\", \"revoked\": true }";

static const char good_canon[] =
    "{\"created\":\"2024-03-01T00:00:00.000Z\","
    "\"id\":\"identity--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\","
    "\"identity_class\":\"organization\",\"modified\":\"2024-03-02T00:00:00.1234567Z\","
    "\"name\":\"Example Hospital\",\"revoked\":true,\"spec_version\":\"2.1\","
    "\"type\":\"identity\"}";

static void test_good(struct stix_report *report)
{
    struct stix_object object;
    struct isg_fail why;
    uint8_t digest[ISG_SHA256_BYTES];
    is_int(stix_object_read(ISG_STR(good), NULL, report, &object, &why), ISG_OK, "read");
    is_str(object.canon.p, good_canon, "canonical text");
    isg_sha256(ISG_STR(good_canon), digest);
    ok(memcmp(digest, object.digest, sizeof digest) == 0, "digest of the canonical text");
    is_int(object.kind, STIX_KIND_SDO, "kind");
    ok(isg_str_is(object.type, "identity"), "type");
    ok(isg_str_is(object.id, "identity--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11"), "id");
    ok(isg_str_is(stix_object_version(&object), "2024-03-02T00:00:00.1234567Z"), "version");
    ok(object.revoked, "revoked");
    stix_object_done(&object);
    stix_object_done(&object);
    ok(object.json == NULL, "done twice");
}

static void test_versions(struct stix_report *report)
{
    static const struct {
        const char *text;
        const char *version;
    } rows[] = {
        {"{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"value\":\"198.51.100.7\","
         "\"id\":\"ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db\"}",
         ""},
        {"{\"type\":\"marking-definition\",\"spec_version\":\"2.1\","
         "\"id\":\"marking-definition--0f5b7b0a-9b1c-4f5e-8d5e-3f6a2b1c0d4e\","
         "\"created\":\"2024-03-01T00:00:00.000Z\",\"definition_type\":\"statement\","
         "\"definition\":{\"statement\":\"for members\"}}",
         "2024-03-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_object object;
        int err = stix_object_read(isg_str_of(rows[i].text), NULL, report, &object, NULL);
        is_int(err, ISG_OK, "%s", rows[i].text);
        if (err != ISG_OK)
            continue;
        ok(isg_str_is(stix_object_version(&object), rows[i].version), "version (T-095)");
        stix_object_done(&object);
    }
}

struct refused_row {
    const char *text;
    int code;
    const char *path;
    const char *rule; /* NULL: not looked at */
};

static const struct refused_row refused[] = {
    {"{\"type\":\"bundle\",\"id\":\"bundle--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\"}", ISG_EINVAL,
     "/type", "X-16"},
    {"{\"type\":\"identity\",\"type\":\"bundle\"}", ISG_EPARSE, "/type", "I-JSON"},
    {"{\"type\":", ISG_EPARSE, "/type", "S-001"},
    /* canonical it would be 100000000000000000000, which nobody may read (RFC 7493) */
    {"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"name\":\"Example\","
     "\"id\":\"identity--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\","
     "\"created\":\"2024-03-01T00:00:00.000Z\",\"modified\":\"2024-03-01T00:00:00.000Z\","
     "\"extensions\":{\"extension-definition--0f5b7b0a-9b1c-4f5e-8d5e-3f6a2b1c0d4e\":"
     "{\"extension_type\":\"property-extension\",\"big\":1e20}}}",
     ISG_EPARSE, "/extensions/extension-definition--0f5b7b0a-9b1c-4f5e-8d5e-3f6a2b1c0d4e/big",
     "S-005"},
    {"[]", ISG_EINVAL, "", NULL},
    {"{}", ISG_EINVAL, "/type", NULL},
    {"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"identity_class\":\"group\","
     "\"id\":\"identity--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\","
     "\"created\":\"2024-03-01T00:00:00.000Z\",\"modified\":\"2024-03-01T00:00:00.000Z\"}",
     ISG_EINVAL, "/name", NULL},
};

/* The report is shared: an object fails by its own errors, not by those before it. */
static void test_refused(struct stix_report *report)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct stix_object object = {.json = NULL};
        struct isg_fail why = {.code = ISG_OK};
        is_int(stix_object_read(isg_str_of(refused[i].text), NULL, report, &object, &why),
               refused[i].code, "%s", refused[i].text);
        is_str(why.path, refused[i].path, "its pointer");
        if (refused[i].rule != NULL)
            is_str(why.rule, refused[i].rule, "its rule");
        ok(object.json == NULL && object.canon.p == NULL, "nothing is given out");
    }
    ok(strstr(refused[0].text, "bundle") != NULL && report->errors > 0, "errors are in the report");
}

static void test_bundle_text(struct stix_report *report)
{
    struct stix_object object;
    struct isg_fail why;
    (void)stix_object_read(isg_str_of(refused[0].text), NULL, report, &object, &why);
    ok(strstr(why.text, "envelope") != NULL, "a bundle's refusal names the envelope");
}

/* Small members cost most: their number is bounded where nobody asks for more. */
static void test_many(struct stix_report *report)
{
    static const struct stix_limits more = {.members = 2 * STIX_OBJECT_MEMBERS_MAX};
    struct stix_object object;
    struct isg_fail why;
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"type\":\"mutex\",\"name\":\"a\",\"x_list\":[1");
    for (int i = 1; i < STIX_OBJECT_MEMBERS_MAX; i++)
        isg_buf_puts(&text, ",1");
    isg_buf_puts(&text, "],\"id\":\"mutex--7d1f0d55-6a1e-4b6c-8a55-0f8d7d8f0c11\"}");
    is_int(stix_object_read(isg_buf_str(&text), NULL, report, &object, &why), ISG_ELIMIT,
           "too many small members");
    is_int(stix_object_read(isg_buf_str(&text), &more, report, &object, &why), ISG_OK,
           "which whoever asks for more may have");
    stix_object_done(&object);
    isg_buf_done(&text);
}

int main(void)
{
    struct isg_arena *arena = isg_arena_new((size_t)1 << 20);
    struct stix_report report;
    stix_report_init(&report, arena, 0);
    test_good(&report);
    test_versions(&report);
    test_refused(&report);
    test_good(&report);
    test_bundle_text(&report);
    test_many(&report);
    isg_arena_free(&arena);
    return tap_done();
}
