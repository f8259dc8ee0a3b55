/* A bundle as a stream (S-003, S-086). */
#include <string.h>

#include "stix/bundle.h"
#include "stix/id.h"
#include "stix/json.h"
#include "tests/support/tap.h"

#define ID "bundle--00000000-0000-4000-8000-000000000001"

static void write(struct isg_buf *out, const char *id, const char *const *objects)
{
    struct stix_bundle_writer w;
    isg_buf_reset(out);
    stix_bundle_begin(&w, out, id);
    for (; *objects != NULL; objects++)
        stix_bundle_add(&w, isg_str_of(*objects));
    stix_bundle_end(&w);
}

int main(void)
{
    static const char *const none[] = {NULL};
    static const char *const two[] = {"{\"a\":1}", "{\"b\":2}", NULL};
    struct isg_buf out;
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    write(&out, ID, none);
    is_str(out.p, "{\"type\":\"bundle\",\"id\":\"" ID "\"}", "no objects, no empty list");
    write(&out, ID, two);
    is_str(out.p, "{\"type\":\"bundle\",\"id\":\"" ID "\",\"objects\":[{\"a\":1},{\"b\":2}]}",
           "two");

    struct stix_json *json = NULL;
    struct isg_str type = {NULL, 0};
    write(&out, NULL, two);
    is_int(stix_json_parse(isg_buf_str(&out), NULL, &json, NULL), ISG_OK, "a random id");
    ok(stix_id_split(stix_json_get_str(json, "id"), &type, NULL) && isg_str_is(type, "bundle"),
       "is a bundle's");
    stix_json_free(&json);
    isg_buf_done(&out);
    return tap_done();
}
