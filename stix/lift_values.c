/*
 * Values of the observables of an old container: references by the ids behind them, properties by
 * their names of 2.1; and the ids, which need the values they come from.
 */
#include <stdio.h>
#include <string.h>

#include "stix/lift_container.h"
#include "stix/types.h"

void stix_container_fail(struct stix_container *c, const struct stix_lifted_sco *of, int code,
                         const char *rule, const char *message)
{
    char path[300];
    if (c->err != ISG_OK)
        return;
    (void)snprintf(path, sizeof path, "/objects/%.250s", of->key);
    c->err = stix_lift_fail(c->l, code, rule, path, message);
}

/* --- finding by key --- */

int stix_container_by_key(const void *a, const void *b)
{
    const struct stix_lifted_sco *const *left = a;
    const struct stix_lifted_sco *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static struct stix_lifted_sco *find(const struct stix_container *c, struct isg_str key)
{
    size_t low = 0;
    size_t high = c->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = isg_str_cmp(isg_str_of(c->by_key[mid]->key), key);
        if (order == 0)
            return c->by_key[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* --- writing values with references --- */

/* A reference: a key of the container as the id behind it; an identifier stays (S-041). */
static void put_ref(const struct stix_lift_writer *w, const struct stix_json *value)
{
    struct isg_str text = stix_json_str(value);
    struct stix_lifted_sco *target = text.p != NULL ? find(w->c, text) : NULL;
    if (target != NULL) {
        stix_container_id(w->c, target, w->depth + 1);
        isg_buf_putc(w->out, '"');
        isg_buf_puts(w->out, target->id);
        isg_buf_putc(w->out, '"');
    } else if (stix_id_split(text, NULL, NULL)) {
        stix_json_canon(value, w->out);
    } else {
        stix_container_fail(w->c, w->of, ISG_EINVAL, "S-041",
                            "a reference is not a key of the same container");
    }
}

static void put_value(const struct stix_lift_writer *w, const char *name,
                      const struct stix_json *value);

static void put_name(const struct stix_lift_writer *w, const char *name, bool *any)
{
    isg_buf_puts(w->out, *any ? ",\"" : "\"");
    isg_json_escape(w->out, isg_str_of(name));
    isg_buf_puts(w->out, "\":");
    *any = true;
}

/* What write_head writes. */
static bool is_common(const char *name)
{
    static const char *const common[] = {"type", "spec_version", "id", "object_marking_refs"};
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strcmp(common[i], name) == 0)
            return true;
    return false;
}

/* Members by their names of 2.1; type names the table row's owner, NULL: nothing is renamed. */
void stix_container_members(const struct stix_lift_writer *w, const char *type,
                            const struct stix_json *object, bool *any)
{
    struct stix_json_walk walk;
    stix_json_walk(object, &walk);
    while (stix_json_next(&walk)) {
        const struct stix_renamed *row = stix_renamed_find(type, walk.name);
        const char *name = row != NULL ? row->now : walk.name;
        if (object == w->of->from && is_common(name != NULL ? name : ""))
            continue;
        if (name == NULL || (row != NULL && stix_json_has(object, name))) {
            w->of->notes |= STIX_LIFT_LOSSY;
            continue;
        }
        put_name(w, name, any);
        put_value(w, name, walk.value);
    }
}

static void put_object(const struct stix_lift_writer *w, const char *type,
                       const struct stix_json *object)
{
    bool any = false;
    isg_buf_putc(w->out, '{');
    stix_container_members(w, type, object, &any);
    isg_buf_putc(w->out, '}');
}

static void put_extensions(const struct stix_lift_writer *w, const struct stix_json *extensions)
{
    struct stix_json_walk walk;
    bool any = false;
    isg_buf_putc(w->out, '{');
    stix_json_walk(extensions, &walk);
    while (stix_json_next(&walk)) {
        put_name(w, walk.name, &any);
        if (stix_json_type(walk.value) == STIX_JSON_OBJECT)
            put_object(w, walk.name, walk.value);
        else
            stix_json_canon(walk.value, w->out);
    }
    isg_buf_putc(w->out, '}');
}

/* 2.0 allowed a string where 2.1 has a list of them. */
static void put_headers(const struct stix_lift_writer *w, const struct stix_json *headers)
{
    struct stix_json_walk walk;
    bool any = false;
    isg_buf_putc(w->out, '{');
    stix_json_walk(headers, &walk);
    while (stix_json_next(&walk)) {
        bool one = stix_json_type(walk.value) == STIX_JSON_STRING;
        put_name(w, walk.name, &any);
        isg_buf_puts(w->out, one ? "[" : "");
        stix_json_canon(walk.value, w->out);
        isg_buf_puts(w->out, one ? "]" : "");
    }
    isg_buf_putc(w->out, '}');
}

static void put_list(const struct stix_lift_writer *w, const char *name,
                     const struct stix_json *list)
{
    bool refs = isg_str_ends(isg_str_of(name), ISG_STR("_refs"));
    isg_buf_putc(w->out, '[');
    for (size_t i = 0; i < stix_json_size(list); i++) {
        const struct stix_json *element = stix_json_at(list, i);
        isg_buf_puts(w->out, i > 0 ? "," : "");
        if (refs)
            put_ref(w, element);
        else
            put_value(w, "", element);
    }
    isg_buf_putc(w->out, ']');
}

static bool is_headers(const char *name)
{
    return strcmp(name, "additional_header_fields") == 0 || strcmp(name, "request_header") == 0;
}

static void put_value(const struct stix_lift_writer *w, const char *name,
                      const struct stix_json *value)
{
    enum stix_json_type type = stix_json_type(value);
    if (w->c->err != ISG_OK)
        return;
    if (isg_str_ends(isg_str_of(name), ISG_STR("_ref")))
        put_ref(w, value);
    else if (type == STIX_JSON_LIST)
        put_list(w, name, value);
    else if (type == STIX_JSON_OBJECT && is_headers(name))
        put_headers(w, value);
    else if (type == STIX_JSON_OBJECT && strcmp(name, "extensions") == 0)
        put_extensions(w, value);
    else if (type == STIX_JSON_OBJECT)
        put_object(w, NULL, value);
    else
        stix_json_canon(value, w->out);
}

/* --- ids --- */

/*
 * An id that no property gives: from the observed-data's id and the key, in the form of a random
 * one, and the same each time (S-138).
 */
void stix_container_derive_id(const struct stix_container *c, const struct stix_lifted_sco *of,
                              char out[STIX_ID_MAX + 1])
{
    uint8_t hash[ISG_SHA256_BYTES];
    char hex[33];
    struct isg_str key = isg_str_of(of->key);
    struct isg_sha256 sha;
    isg_sha256_init(&sha);
    isg_sha256_add(&sha, c->id.p, c->id.n);
    isg_sha256_add(&sha, "|", 1);
    isg_sha256_add(&sha, key.p, key.n);
    isg_sha256_end(&sha, hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x40);
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
    isg_hex_encode(hash, 16, hex);
    (void)snprintf(out, STIX_ID_MAX + 1, "%.*s--%.8s-%.4s-%.4s-%.4s-%.12s", ISG_STR_ARG(of->type),
                   hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void set_derived(const struct stix_container *c, struct stix_lifted_sco *of)
{
    stix_container_derive_id(c, of, of->id);
    of->notes |= STIX_LIFT_DERIVED_ID;
    of->state = STIX_LIFT_DONE;
}

/* The object of its contributing properties, as far as they are there. */
static void write_named(const struct stix_lift_writer *w)
{
    struct stix_json_walk walk;
    char type[STIX_ID_MAX + 1];
    bool any = true;
    (void)snprintf(type, sizeof type, "%.*s", ISG_STR_ARG(w->of->type));
    isg_buf_printf(w->out, "{\"type\":\"%s\"", type);
    stix_json_walk(w->of->from, &walk);
    while (stix_json_next(&walk)) {
        if (!stix_id_contributes(w->of->type, walk.name))
            continue;
        put_name(w, walk.name, &any);
        put_value(w, walk.name, walk.value);
    }
    isg_buf_putc(w->out, '}');
}

static void id_of_text(struct stix_container *c, struct stix_lifted_sco *of, struct isg_str text)
{
    struct stix_json *tree = NULL;
    struct isg_fail inner;
    bool deterministic = false;
    char id[STIX_ID_MAX + 1];
    int err = stix_json_parse(text, NULL, &tree, &inner);
    if (err == ISG_OK)
        err = stix_id_sco(tree, id, &deterministic, &inner);
    stix_json_free(&tree);
    if (err == ISG_OK && deterministic) {
        memcpy(of->id, id, sizeof of->id);
        of->state = STIX_LIFT_DONE;
    } else if (err != ISG_OK) {
        stix_container_fail(c, of, err, "S-138", inner.text);
    } else {
        set_derived(c, of);
    }
}

/* STIX_LIFT_BUSY means a circle of references: the id cannot come from them. */
void stix_container_id(struct stix_container *c, struct stix_lifted_sco *of, int depth)
{
    if (of->state == STIX_LIFT_DONE || c->err != ISG_OK)
        return;
    if (depth > STIX_LIFT_DEPTH) {
        stix_container_fail(c, of, ISG_ELIMIT, "limit",
                            "references in the container are nested too deeply");
        return;
    }
    if (of->state == STIX_LIFT_BUSY || stix_type_kind(of->type) != STIX_KIND_SCO) {
        set_derived(c, of);
        return;
    }
    struct isg_buf text;
    struct stix_lift_writer w = {.c = c, .of = of, .out = &text, .depth = depth};
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    of->state = STIX_LIFT_BUSY;
    write_named(&w);
    if (c->err == ISG_OK && text.err != ISG_OK)
        stix_container_fail(c, of, text.err, "S-138", "no memory");
    if (c->err == ISG_OK && of->state != STIX_LIFT_DONE)
        id_of_text(c, of, isg_buf_str(&text));
    isg_buf_done(&text);
}
