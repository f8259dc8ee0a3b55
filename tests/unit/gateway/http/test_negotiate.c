#include "gateway/http/negotiate.h"
#include "tests/support/tap.h"

/* T-010, T-016, T-017, T-019, T-022, X-02 */
static const struct {
    const char *accept; /* NULL: absent */
    bool accepted;
} accept_rows[] = {
    {NULL, true},
    {"", true},
    {"  ", true},
    {"*/*", true},
    {"application/*", true},
    {"application/taxii+json", true},
    {"application/taxii+json;version=2.1", true},
    {"application/taxii+json; version=2.1", true},
    {"application/taxii+json ; version = 2.1", true},
    {"application/taxii+json;\tversion=2.1", true},
    {"application/taxii+json;version=\"2.1\"", true},
    {"Application/TAXII+JSON;Version=2.1", true},
    {"application/taxii+json;version=2.1;q=0.5", true},
    {"application/taxii+json;q=0.5;version=2.1", true},
    {"application/taxii+json;version=2.1;q=0.001", true},
    {"application/taxii+json;version=2.1;charset=utf-8", true},
    {"application/taxii+json;version=2.1;", true},
    {"application/taxii+json;version=2.1,application/stix+json;version=2.1", true},
    {"application/taxii+json;version=2.0, application/taxii+json;version=2.1", true},
    {"application/vnd.oasis.taxii+json; version=2.0, application/taxii+json", true},
    {"application/json, text/plain, */*", true},
    {"text/html, application/xhtml+xml, */*;q=0.8", true},
    {", ,application/taxii+json", true},
    {"nonsense, application/taxii+json", true},
    {"text/*;title=\"a,b;c\", application/taxii+json", true},
    {"text/x;t=\"\\\",*/*\", application/taxii+json", true},
    {"*/*;q=0, application/taxii+json", true},
    {"application/*;q=0, application/taxii+json;version=2.1", true},
    {"application/taxii+json;version=2.1;q=1.000", true},
    {"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true}, /* Java's own */
    {"*", true},
    {"*;q=.5", true},
    {"*;q=.0", false},
    {"*;q=.", false},
    {"*x", false},
    {"application/taxii+json;q=.1x", false},
    {"application/taxii+json;q=00.1", false},
    {"application/json", false},
    {"text/html", false},
    {"text/*", false},
    {"*/json", false},
    {"application/stix+json;version=2.1", false},
    {"application/taxii+json;version=2.0", false},
    {"application/taxii+json;version=2.10", false},
    {"application/taxii+json;version=3", false},
    {"application/taxii+json;version=", false},
    {"application/vnd.oasis.taxii+json", false},
    {"application/taxii+jsonx", false},
    {"application/taxii", false},
    {"application/taxii+json;version=2.1;q=0", false},
    {"application/taxii+json;version=2.1;q=0.0, */*", false},
    {"application/taxii+json;q=0, */*", false},
    {"*/*;q=0", false},
    {"application/taxii+json;q=7", false},
    {"application/taxii+json;q=0.1234", false},
    {"application/taxii+json;version=\"2.1", false},
    {"application taxii+json", false},
    {"text/x;t=\"application/taxii+json, */*\"", false},
};

/* T-018, T-020, T-022 */
static const struct {
    const char *type;
    bool taxii;
} content_rows[] = {
    {"application/taxii+json", true},
    {"application/taxii+json;version=2.1", true},
    {"application/taxii+json; version=\"2.1\"", true},
    {"APPLICATION/taxii+json;VERSION=2.1", true},
    {"application/taxii+json;charset=utf-8;version=2.1", true},
    {" application/taxii+json ", true},
    {NULL, false},
    {"", false},
    {"*", false},
    {"application/json", false},
    {"application/taxii+json;version=2.0", false},
    {"application/vnd.oasis.stix+json;version=2.0", false},
    {"application/taxii+json, application/json", false},
    {"application/*", false},
    {"*/*", false},
    {"taxii+json", false},
};

/* RFC 9110, 12.5.3 */
static const struct {
    const char *accept; /* NULL: absent */
    bool gzip;
} coding_rows[] = {
    {"gzip", true},
    {"GZip", true},
    {"x-gzip", true},
    {"gzip, deflate, br", true},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
    {"deflate,gzip", true},
    {" gzip ; q=0.001", true},
    {"*", true},
    {"*;q=0.5", true},
    {"identity;q=0.5, gzip", true},
    {"identity;q=0, gzip;q=0.1", true},
    {"gzip;q=0.5, identity;q=0.5", true},
    {"*;q=0, gzip", true},
    {", ,gzip", true},
    {"non sense, gzip", true},
    {NULL, false},
    {"", false},
    {"identity", false},
    {"deflate, br", false},
    {"gzip;q=0", false},
    {"gzip;q=0.000", false},
    {"*, gzip;q=0", false},
    {"*;q=0", false},
    {"gzip;q=0.5, identity", false},
    {"gzip;q=2", false},
    {"gzip;q=-1", false},
    {"gzip;q=0.1234", false},
    {"gzipped", false},
    {"xgzip", false},
    {"\"gzip\"", false},
};

static void test_query(void)
{
    struct isg_str rest = ISG_STR("a=1&&b&c=&=d&e=f=g%26");
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {{"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "f=g%26"}};
    struct isg_str name;
    struct isg_str value;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ok(http_query_next(&rest, &name, &value), "query piece %zu", i);
        ok(isg_str_is(name, rows[i].name) && isg_str_is(value, rows[i].value) && value.p != NULL,
           "query piece %zu is %s=%s", i, rows[i].name, rows[i].value);
    }
    ok(!http_query_next(&rest, &name, &value), "the query ends");
}

int main(void)
{
    for (size_t i = 0; i < sizeof accept_rows / sizeof accept_rows[0]; i++)
        is_int(http_accepts_taxii(isg_str_of(accept_rows[i].accept)), accept_rows[i].accepted,
               "Accept: %s", accept_rows[i].accept != NULL ? accept_rows[i].accept : "(absent)");
    for (size_t i = 0; i < sizeof coding_rows / sizeof coding_rows[0]; i++)
        is_int(http_accepts_gzip(isg_str_of(coding_rows[i].accept)), coding_rows[i].gzip,
               "Accept-Encoding: %s",
               coding_rows[i].accept != NULL ? coding_rows[i].accept : "(absent)");
    for (size_t i = 0; i < sizeof content_rows / sizeof content_rows[0]; i++)
        is_int(http_is_taxii_content(isg_str_of(content_rows[i].type)), content_rows[i].taxii,
               "Content-Type: %s",
               content_rows[i].type != NULL ? content_rows[i].type : "(absent)");
    ok(http_accepts(ISG_STR("text/plain"), "text/plain", NULL), "a type without version");
    ok(!http_accepts(ISG_STR("text/plain;version=1"), "text/plain", NULL), "asked for a version");
    ok(http_accept_names(ISG_STR("*/*;q=0.5, a/b;version=1"), "a/b", "1"), "named");
    ok(http_accept_names(ISG_STR("x/y, A/B"), "a/b", "1"), "named without version");
    ok(!http_accept_names(ISG_STR("*/*, a/*"), "a/b", "1"), "stars name nothing");
    ok(!http_accept_names(ISG_STR("a/b;q=0, */*"), "a/b", "1"), "named, and refused");
    ok(!http_accept_names(ISG_STR(""), "a/b", "1"), "nothing is named");
    test_query();
    return tap_done();
}
