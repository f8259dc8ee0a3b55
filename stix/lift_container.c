/*
 * The old container of observed-data (S-138): each object of it becomes an observable of its own.
 *
 * Ids come first, leaves before what refers to them, through contributing properties only (S-095):
 * so a directory may contain the file whose parent it is. Then each is written, references and all.
 */
#include "stix/lift_container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/types.h"

/* --- markings: what restricts the whole restricts the part --- */

struct marks {
    struct isg_str refs[STIX_LIFT_MARKINGS_MAX];
    size_t n;
};

static void add_mark(struct stix_container *c, const struct stix_lifted_sco *of,
                     struct marks *marks, struct isg_str ref)
{
    if (ref.p == NULL)
        return;
    for (size_t i = 0; i < marks->n; i++)
        if (isg_str_eq(marks->refs[i], ref))
            return;
    if (marks->n == STIX_LIFT_MARKINGS_MAX)
        stix_container_fail(c, of, ISG_ELIMIT, "limit", "too many markings apply to one object");
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

static void collect_marks(struct stix_container *c, const struct stix_lifted_sco *of,
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

static void write_marks(const struct stix_lift_writer *w)
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

static void write_head(const struct stix_lift_writer *w, struct isg_str type, const char *id)
{
    isg_buf_printf(w->out, "{\"type\":\"%.*s\",\"spec_version\":\"2.1\",\"id\":\"%s\"",
                   ISG_STR_ARG(type), id);
    write_marks(w);
}

/* The name of a process is that of its image, where the container gives no image (S-141). */
static struct isg_str image_name(const struct stix_lifted_sco *of)
{
    bool image = stix_json_has(of->from, "binary_ref") || stix_json_has(of->from, "image_ref");
    return isg_str_is(of->type, "process") && !image ? stix_json_get_str(of->from, "name")
                                                     : (struct isg_str){NULL, 0};
}

static void write_image(struct stix_lift_writer *w, struct isg_str name)
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

static void write_observable(const struct stix_lift_writer *w)
{
    char type[STIX_ID_MAX + 1];
    bool any = true;
    (void)snprintf(type, sizeof type, "%.*s", ISG_STR_ARG(w->of->type));
    write_head(w, w->of->type, w->of->id);
    stix_container_members(w, type, w->of->from, &any);
    if (w->of->image[0] != '\0')
        isg_buf_printf(w->out, ",\"image_ref\":\"%s\"", w->of->image);
    isg_buf_putc(w->out, '}');
}

static void give(struct stix_container *c, struct stix_lifted_sco *of, const struct isg_buf *text)
{
    if (c->err == ISG_OK && text->err != ISG_OK)
        stix_container_fail(c, of, text->err, "S-138", "no memory");
    if (c->err == ISG_OK && !c->dry)
        c->err = stix_lift_give(c->l, text, of->notes);
}

static void give_observable(struct stix_container *c, struct stix_lifted_sco *of)
{
    struct isg_buf text;
    struct stix_lift_writer w = {.c = c, .of = of, .out = &text};
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

static bool check_entry(struct stix_container *c, struct stix_lifted_sco *of)
{
    char probe[STIX_ID_MAX + 1];
    enum stix_kind kind = stix_type_kind(of->type);
    if (of->type.p == NULL || of->type.n > 250) {
        stix_container_fail(c, of, ISG_EINVAL, "S-023", "an object of the container has no type");
        return false;
    }
    stix_container_derive_id(c, of, probe);
    if (!stix_id_split(isg_str_of(probe), NULL, NULL))
        stix_container_fail(c, of, ISG_EINVAL, "S-017", "type is not a type name");
    else if (kind != STIX_KIND_SCO && kind != STIX_KIND_UNKNOWN)
        stix_container_fail(c, of, ISG_EINVAL, "S-041", "a container holds observables only");
    return c->err == ISG_OK;
}

static void read_entries(struct stix_container *c, const struct stix_json *objects)
{
    struct stix_json_walk walk;
    size_t i = 0;
    stix_json_walk(objects, &walk);
    while (c->err == ISG_OK && stix_json_next(&walk)) {
        struct stix_lifted_sco *of = &c->all[i];
        *of = (struct stix_lifted_sco){.key = walk.name, .from = walk.value};
        of->type = stix_json_get_str(walk.value, "type");
        c->by_key[i++] = of;
        (void)check_entry(c, of);
    }
    if (c->err == ISG_OK)
        qsort(c->by_key, c->n, sizeof(struct stix_lifted_sco *), stix_container_by_key);
}

static int by_id(const void *a, const void *b)
{
    const struct stix_lifted_sco *const *left = a;
    const struct stix_lifted_sco *const *right = b;
    int order = strcmp((*left)->id, (*right)->id);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* Each that has the id of an earlier one is linked to the first; by_key is spent by this. */
static void find_twins(struct stix_container *c)
{
    qsort(c->by_key, c->n, sizeof(struct stix_lifted_sco *), by_id);
    for (size_t i = 1; i < c->n; i++) {
        const struct stix_lifted_sco *before = c->by_key[i - 1];
        if (strcmp(before->id, c->by_key[i]->id) == 0)
            c->by_key[i]->twin = before->twin != NULL ? before->twin : before;
    }
    qsort(c->by_key, c->n, sizeof(struct stix_lifted_sco *), stix_container_by_key);
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
        stix_container_id(c, &c->all[i], 0);
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
        const struct stix_lifted_sco *of = &container->all[i];
        if (of->twin == NULL)
            isg_jsonw_str(w, isg_str_of(of->id));
        if (of->image[0] != '\0')
            isg_jsonw_str(w, isg_str_of(of->image));
    }
    isg_jsonw_end(w);
}
