/*
 * STIX 2.1 from elsewhere, as it is (feeds digest 5.2): a bundle, a TAXII envelope, a list or one
 * object. Ids, versions and bytes are the producer's; what is wrong with one object is for ingest
 * to say, and does not sink the others.
 */
#include <stdbool.h>
#include <string.h>

#include "feeds/sources.h"
#include "stix/json.h"
#include "stix/scan.h"

struct stix_source {
    struct feed_context *context;
    bool emit;      /* the second pass */
    bool is_object; /* what stands at the root */
    bool is_bundle;
    bool is_20;
    size_t objects;
};

static bool is_string(struct isg_str json, const char *text)
{
    return json.n >= 2 && json.p[0] == '"' &&
           isg_str_is((struct isg_str){json.p + 1, json.n - 2}, text);
}

static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    struct stix_source *source = arg;
    (void)why;
    if (isg_str_is(name, "type")) {
        source->is_bundle = is_string(value, "bundle");
        source->is_object = !source->is_bundle;
    }
    if (isg_str_is(name, "spec_version") && is_string(value, "2.0"))
        source->is_20 = true;
    return ISG_OK;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct stix_source *source = arg;
    (void)index;
    source->objects++;
    if (!source->emit)
        return ISG_OK;
    source->context->records++;
    return source->context->emit(source->context->arg, text, NULL, why);
}

/* One pass over the whole text; a list is read as the `objects` of an envelope. */
static int pass(struct stix_source *source, struct isg_str text, struct isg_fail *why)
{
    bool list = text.p[0] == '[';
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, on_member, source);
    if (cutter == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = ISG_OK;
    if (list)
        err = stix_cutter_feed(cutter, ISG_STR("{\"objects\":"), why);
    if (err == ISG_OK)
        err = stix_cutter_feed(cutter, text, why);
    if (err == ISG_OK && list)
        err = stix_cutter_feed(cutter, ISG_STR("}"), why);
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, why);
    if (err == ISG_OK && !stix_cutter_has_objects(cutter) && !source->is_object &&
        !source->is_bundle)
        err = isg_fail(why, ISG_EINVAL, "neither a bundle, an envelope, a list nor an object");
    stix_cutter_free(&cutter);
    return err;
}

/* One object whose own property `objects` is no list, as an observed-data of the old form has. */
static bool is_one_object(struct isg_str text)
{
    struct stix_json *tree = NULL;
    if (stix_json_parse(text, NULL, &tree, NULL) != ISG_OK)
        return false;
    struct isg_str type = stix_json_get_str(tree, "type");
    bool one = type.n > 0 && !isg_str_is(type, "bundle") &&
               stix_json_type(stix_json_get(tree, "objects")) == STIX_JSON_OBJECT;
    stix_json_free(&tree);
    return one;
}

int source_stix(struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    struct stix_source source = {.context = context};
    text = isg_str_trim(text);
    int err = pass(&source, text, why);
    if (err == ISG_EPARSE && is_one_object(text)) {
        source.is_object = true;
        err = ISG_OK;
    }
    if (err != ISG_OK)
        return err;
    if (source.is_20)
        return isg_fail_at(why, ISG_EINVAL, "/spec_version", "S-024",
                           "a STIX 2.0 document; this reads STIX 2.1");
    source.emit = true;
    if (source.is_object) {
        context->records++;
        return context->emit(context->arg, text, NULL, why);
    }
    return pass(&source, text, why);
}
