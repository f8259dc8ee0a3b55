/*
 * The old container of observed-data (S-138): each object of it becomes an observable of its own.
 *
 * Ids come first, leaves before what refers to them, through contributing properties only (S-095):
 * so a directory may contain the file whose parent it is. Then each is written, references and all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/id.h"
#include "stix/lift_private.h"
#include "stix/types.h"

enum state { NEW, BUSY, DONE };

struct observable {
    const char *key;
    const struct stix_json *from;
    struct isg_str type;
    enum state state;
    unsigned notes;
    char id[STIX_ID_MAX + 1];
    char image[STIX_ID_MAX + 1]; /* of the file that stands for a process's name, or "" */
    uint8_t digest[ISG_SHA256_BYTES];
    const struct observable *twin; /* an earlier one of the same id, or NULL */
};

struct stix_container {
    struct stix_lifting *l;
    const struct stix_json *observed;
    struct isg_str id; /* of the observed-data */
    size_t n;
    struct observable *all;     /* in document order */
    struct observable **by_key; /* sorted */
    bool dry;                   /* the first pass: everything is written, nothing handed out */
    int err;
};

/* How values of one observable are written. */
struct writer {
    struct stix_container *c;
    struct observable *of;
    struct isg_buf *out;
    int depth; /* references followed so far */
};

static void fail(struct stix_container *c, const struct observable *of, int code, const char *rule,
                 const char *message)
{
    char path[300];
    if (c->err != ISG_OK)
        return;
    (void)snprintf(path, sizeof path, "/objects/%.250s", of->key);
    c->err = stix_lift_fail(c->l, code, rule, path, message);
}

/* --- finding by key --- */

static int by_key(const void *a, const void *b)
{
    const struct observable *const *left = a;
    const struct observable *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static struct observable *find(const struct stix_container *c, struct isg_str key)
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

static void compute_id(struct stix_container *c, struct observable *of, int depth);

/* A reference: a key of the container as the id behind it; an identifier stays (S-041). */
static void put_ref(const struct writer *w, const struct stix_json *value)
{
    struct isg_str text = stix_json_str(value);
    struct observable *target = text.p != NULL ? find(w->c, text) : NULL;
    if (target != NULL) {
        compute_id(w->c, target, w->depth + 1);
        isg_buf_putc(w->out, '"');
        isg_buf_puts(w->out, target->id);
        isg_buf_putc(w->out, '"');
    } else if (stix_id_split(text, NULL, NULL)) {
        stix_json_canon(value, w->out);
    } else {
        fail(w->c, w->of, ISG_EINVAL, "S-041", "a reference is not a key of the same container");
    }
}

static void put_value(const struct writer *w, const char *name, const struct stix_json *value);

static void put_name(const struct writer *w, const char *name, bool *any)
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
static void put_members(const struct writer *w, const char *type, const struct stix_json *object,
                        bool *any)
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

static void put_object(const struct writer *w, const char *type, const struct stix_json *object)
{
    bool any = false;
    isg_buf_putc(w->out, '{');
    put_members(w, type, object, &any);
    isg_buf_putc(w->out, '}');
}

static void put_extensions(const struct writer *w, const struct stix_json *extensions)
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
static void put_headers(const struct writer *w, const struct stix_json *headers)
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

static void put_list(const struct writer *w, const char *name, const struct stix_json *list)
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

static void put_value(const struct writer *w, const char *name, const struct stix_json *value)
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
static void derive_id(const struct stix_container *c, const struct observable *of,
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

static void set_derived(const struct stix_container *c, struct observable *of)
{
    derive_id(c, of, of->id);
    of->notes |= STIX_LIFT_DERIVED_ID;
    of->state = DONE;
}

/* The object of its contributing properties, as far as they are there. */
static void write_named(const struct writer *w)
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

static void id_of_text(struct stix_container *c, struct observable *of, struct isg_str text)
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
        of->state = DONE;
    } else if (err != ISG_OK) {
        fail(c, of, err, "S-138", inner.text);
    } else {
        set_derived(c, of);
    }
}

/* BUSY means a circle of references: the id cannot come from them. */
static void compute_id(struct stix_container *c, struct observable *of, int depth)
{
    if (of->state == DONE || c->err != ISG_OK)
        return;
    if (depth > STIX_LIFT_DEPTH) {
        fail(c, of, ISG_ELIMIT, "limit", "references in the container are nested too deeply");
        return;
    }
    if (of->state == BUSY || stix_type_kind(of->type) != STIX_KIND_SCO) {
        set_derived(c, of);
        return;
    }
    struct isg_buf text;
    struct writer w = {.c = c, .of = of, .out = &text, .depth = depth};
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    of->state = BUSY;
    write_named(&w);
    if (c->err == ISG_OK && text.err != ISG_OK)
        fail(c, of, text.err, "S-138", "no memory");
    if (c->err == ISG_OK && of->state != DONE)
        id_of_text(c, of, isg_buf_str(&text));
    isg_buf_done(&text);
}

/* --- markings: what restricts the whole restricts the part --- */

struct marks {
    struct isg_str refs[STIX_LIFT_MARKINGS_MAX];
    size_t n;
};

static void add_mark(struct stix_container *c, const struct observable *of, struct marks *marks,
                     struct isg_str ref)
{
    if (ref.p == NULL)
        return;
    for (size_t i = 0; i < marks->n; i++)
        if (isg_str_eq(marks->refs[i], ref))
            return;
    if (marks->n == STIX_LIFT_MARKINGS_MAX)
        fail(c, of, ISG_ELIMIT, "limit", "too many markings apply to one object");
    else
        marks->refs[marks->n++] = ref;
}

/* `objects`, `objects.KEY` or something below it. */
static bool selects(struct isg_str selector, const char *key)
{
    struct isg_str part = selector;
    if (!isg_str_split(&selector, '.', &part) || !isg_str_is(part, "objects"))
        return false;
    return !isg_str_split(&selector, '.', &part) || isg_str_is(part, key);
}

static bool any_selects(const struct stix_json *selectors, const char *key)
{
    for (size_t i = 0; i < stix_json_size(selectors); i++)
        if (selects(stix_json_str(stix_json_at(selectors, i)), key))
            return true;
    return false;
}

static void collect_marks(struct stix_container *c, const struct observable *of,
                          struct marks *marks)
{
    const struct stix_json *refs = stix_json_get(c->observed, "object_marking_refs");
    const struct stix_json *granular = stix_json_get(c->observed, "granular_markings");
    for (size_t i = 0; i < stix_json_size(refs); i++)
        add_mark(c, of, marks, stix_json_str(stix_json_at(refs, i)));
    for (size_t i = 0; i < stix_json_size(granular); i++) {
        const struct stix_json *entry = stix_json_at(granular, i);
        if (any_selects(stix_json_get(entry, "selectors"), of->key))
            add_mark(c, of, marks, stix_json_get_str(entry, "marking_ref"));
    }
}

static void write_marks(const struct writer *w)
{
    struct marks marks = {.n = 0};
    struct isg_jsonw list;
    collect_marks(w->c, w->of, &marks);
    if (marks.n == 0)
        return;
    isg_buf_puts(w->out, ",\"object_marking_refs\":");
    isg_jsonw_init(&list, w->out);
    isg_jsonw_list(&list);
    for (size_t i = 0; i < marks.n; i++)
        isg_jsonw_str(&list, marks.refs[i]);
    isg_jsonw_end(&list);
}

/* --- writing observables --- */

static void write_head(const struct writer *w, struct isg_str type, const char *id)
{
    isg_buf_printf(w->out, "{\"type\":\"%.*s\",\"spec_version\":\"2.1\",\"id\":\"%s\"",
                   ISG_STR_ARG(type), id);
    write_marks(w);
}

/* The name of a process is that of its image, where the container gives no image (S-141). */
static struct isg_str image_name(const struct observable *of)
{
    bool image = stix_json_has(of->from, "binary_ref") || stix_json_has(of->from, "image_ref");
    return isg_str_is(of->type, "process") && !image ? stix_json_get_str(of->from, "name")
                                                     : (struct isg_str){NULL, 0};
}

static void write_image(struct writer *w, struct isg_str name)
{
    static const struct isg_str type = {"file", 4};
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_puts(&text, "{\"name\":\"");
    isg_json_escape(&text, name);
    isg_buf_puts(&text, "\"}");
    char uuid[ISG_UUID_TEXT];
    isg_uuid_v5(STIX_NS_SCO, isg_buf_str(&text), uuid);
    (void)snprintf(w->of->image, sizeof w->of->image, "file--%s", uuid);
    write_head(w, type, w->of->image);
    isg_buf_putc(w->out, ',');
    isg_buf_put_str(w->out, isg_str_from(isg_buf_str(&text), 1));
    if (text.err != ISG_OK)
        w->out->err = text.err;
    isg_buf_done(&text);
}

static void write_observable(const struct writer *w)
{
    char type[STIX_ID_MAX + 1];
    bool any = true;
    (void)snprintf(type, sizeof type, "%.*s", ISG_STR_ARG(w->of->type));
    write_head(w, w->of->type, w->of->id);
    put_members(w, type, w->of->from, &any);
    if (w->of->image[0] != '\0')
        isg_buf_printf(w->out, ",\"image_ref\":\"%s\"", w->of->image);
    isg_buf_putc(w->out, '}');
}

static void give(struct stix_container *c, struct observable *of, const struct isg_buf *text)
{
    if (c->err == ISG_OK && text->err != ISG_OK)
        fail(c, of, text->err, "S-138", "no memory");
    if (c->err == ISG_OK && !c->dry)
        c->err = stix_lift_give(c->l, text, of->notes);
}

static void give_observable(struct stix_container *c, struct observable *of)
{
    struct isg_buf text;
    struct writer w = {.c = c, .of = of, .out = &text};
    struct isg_str name = image_name(of);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    if (name.n > 0) {
        write_image(&w, name);
        give(c, of, &text);
        isg_buf_reset(&text);
    }
    write_observable(&w);
    isg_sha256(isg_buf_str(&text), of->digest);
    /* Two of the same words are one observable; of other words, two forms of one (S-100). */
    if (of->twin == NULL || memcmp(of->twin->digest, of->digest, sizeof of->digest) != 0)
        give(c, of, &text);
    isg_buf_done(&text);
}

/* --- the container --- */

static bool check_entry(struct stix_container *c, struct observable *of)
{
    char probe[STIX_ID_MAX + 1];
    enum stix_kind kind = stix_type_kind(of->type);
    if (of->type.p == NULL || of->type.n > 250) {
        fail(c, of, ISG_EINVAL, "S-023", "an object of the container has no type");
        return false;
    }
    derive_id(c, of, probe);
    if (!stix_id_split(isg_str_of(probe), NULL, NULL))
        fail(c, of, ISG_EINVAL, "S-017", "type is not a type name");
    else if (kind != STIX_KIND_SCO && kind != STIX_KIND_UNKNOWN)
        fail(c, of, ISG_EINVAL, "S-041", "a container holds observables only");
    return c->err == ISG_OK;
}

static void read_entries(struct stix_container *c, const struct stix_json *objects)
{
    struct stix_json_walk walk;
    size_t i = 0;
    stix_json_walk(objects, &walk);
    while (c->err == ISG_OK && stix_json_next(&walk)) {
        struct observable *of = &c->all[i];
        *of = (struct observable){.key = walk.name, .from = walk.value};
        of->type = stix_json_get_str(walk.value, "type");
        c->by_key[i++] = of;
        (void)check_entry(c, of);
    }
    if (c->err == ISG_OK)
        qsort(c->by_key, c->n, sizeof(struct observable *), by_key);
}

static int by_id(const void *a, const void *b)
{
    const struct observable *const *left = a;
    const struct observable *const *right = b;
    int order = strcmp((*left)->id, (*right)->id);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Each that has the id of an earlier one is linked to the first; by_key is spent by this. */
static void find_twins(struct stix_container *c)
{
    qsort(c->by_key, c->n, sizeof(struct observable *), by_id);
    for (size_t i = 1; i < c->n; i++) {
        const struct observable *before = c->by_key[i - 1];
        if (strcmp(before->id, c->by_key[i]->id) == 0)
            c->by_key[i]->twin = before->twin != NULL ? before->twin : before;
    }
    qsort(c->by_key, c->n, sizeof(struct observable *), by_key);
}

static int check_size(const struct stix_lifting *l, const struct stix_json *observed)
{
    enum { SELECTORS_MAX = 1000 };
    const struct stix_json *granular = stix_json_get(observed, "granular_markings");
    size_t selectors = 0;
    for (size_t i = 0; i < stix_json_size(granular); i++)
        selectors += 1 + stix_json_size(stix_json_get(stix_json_at(granular, i), "selectors"));
    if (stix_json_size(stix_json_get(observed, "objects")) > STIX_LIFT_OBSERVABLES_MAX)
        return stix_lift_fail(l, ISG_ELIMIT, "limit", "/objects", "too many observables");
    if (selectors > SELECTORS_MAX)
        return stix_lift_fail(l, ISG_ELIMIT, "limit", "/granular_markings", "too many selectors");
    if (stix_json_get_str(observed, "id").n == 0)
        return stix_lift_fail(l, ISG_EINVAL, "S-013", "/id", "id is missing or no string");
    return ISG_OK;
}

static struct stix_container *container_new(struct stix_lifting *l,
                                            const struct stix_json *observed)
{
    struct stix_container *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->l = l;
    c->observed = observed;
    c->id = stix_json_get_str(observed, "id");
    c->n = stix_json_size(stix_json_get(observed, "objects"));
    c->all = calloc(c->n, sizeof *c->all);
    c->by_key = calloc(c->n, sizeof(void *));
    if (c->all == NULL || c->by_key == NULL)
        stix_container_free(&c);
    return c;
}

void stix_container_free(struct stix_container **container)
{
    if (*container == NULL)
        return;
    free((*container)->all);
    free((*container)->by_key);
    free(*container);
    *container = NULL;
}

static void give_all(struct stix_container *c)
{
    for (size_t i = 0; i < c->n && c->err == ISG_OK; i++)
        give_observable(c, &c->all[i]);
}

int stix_container_lift(struct stix_lifting *l, const struct stix_json *observed,
                        struct stix_container **out_container)
{
    int err = check_size(l, observed);
    if (err != ISG_OK)
        return err;
    struct stix_container *c = container_new(l, observed);
    if (c == NULL)
        return isg_fail(l->why, ISG_ENOMEM, "no memory for a container");
    read_entries(c, stix_json_get(observed, "objects"));
    for (size_t i = 0; i < c->n && c->err == ISG_OK; i++)
        compute_id(c, &c->all[i], 0);
    if (c->err == ISG_OK)
        find_twins(c);
    c->dry = true; /* so that all is known to be well before the first goes out */
    give_all(c);
    c->dry = false;
    give_all(c);
    err = c->err;
    if (err == ISG_OK)
        *out_container = c;
    else
        stix_container_free(&c);
    return err;
}

void stix_container_refs(const struct stix_container *container, struct isg_jsonw *w)
{
    isg_jsonw_list(w);
    for (size_t i = 0; i < container->n; i++) {
        const struct observable *of = &container->all[i];
        if (of->twin == NULL)
            isg_jsonw_str(w, isg_str_of(of->id));
        if (of->image[0] != '\0')
            isg_jsonw_str(w, isg_str_of(of->image));
    }
    isg_jsonw_end(w);
}
