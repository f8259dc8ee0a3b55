/*
 * STIX from elsewhere, as it is (feeds digest 5.2): a bundle, a TAXII envelope, a list or one
 * object. Ids, versions and bytes are the producer's; what is wrong with one object is for ingest
 * to say, and does not sink the others. Objects of STIX 2.0 are lifted to 2.1 (S-132 to S-142).
 */
#include <stdbool.h>
#include <string.h>

#include "feeds/sources.h"
#include "stix/json.h"
#include "stix/lift.h"
#include "stix/scan.h"

struct stix_source {
    struct feed_context *context;
    bool emit;      /* the second pass */
    bool is_object; /* what stands at the root */
    bool is_bundle;
    bool handed_out; /* a part of the object being lifted */
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
    return ISG_OK;
}

/* --- objects, one by one --- */

static int emit_lifted(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    struct stix_source *source = arg;
    source->handed_out = true;
    return source->context->emit(source->context->arg, lifted->text, NULL, why);
}

/* An object that cannot be lifted is handed out as it is, for ingest to refuse. */
static int emit_object(struct stix_source *source, struct isg_str text, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    int err = ISG_EINVAL;
    source->context->records++;
    source->handed_out = false;
    if (stix_json_parse(text, NULL, &tree, NULL) == ISG_OK && stix_is_20(tree))
        err = stix_lift(tree, emit_lifted, source, why);
    stix_json_free(&tree);
    bool whole = (err == ISG_EINVAL || err == ISG_ELIMIT) && !source->handed_out;
    return whole ? source->context->emit(source->context->arg, text, NULL, why) : err;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct stix_source *source = arg;
    (void)index;
    source->objects++;
    return source->emit ? emit_object(source, text, why) : ISG_OK;
}

/* One pass over the whole text; a list is read as the `objects` of an envelope. */
static int pass(struct stix_source *source, struct isg_str text, struct isg_fail *why)
{
    bool list = text.p[0] == '[';
    struct stix_cutter *cutter =
        stix_cutter_new(&source->context->limits, on_object, on_member, source);
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
    if (text.p[0] == '<') /* digest 5.15 */
        return isg_fail(why, ISG_EPARSE,
                        "XML: STIX 1 is not read; cti-stix-elevator makes STIX 2.1 of it");
    int err = pass(&source, text, why);
    if (err == ISG_EPARSE && is_one_object(text)) {
        source.is_object = true;
        err = ISG_OK;
    }
    if (err != ISG_OK)
        return err;
    source.emit = true;
    return source.is_object ? emit_object(&source, text, why) : pass(&source, text, why);
}
