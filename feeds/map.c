#include "feeds/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/extensions.h"
#include "stix/json.h"

enum {
    SEEN_SLOTS = 1024,
    OBJECT_MAX = 16 << 20,
    ARENA_MAX = 1 << 30,
    REFERENCES_MAX = 1000,
    SHARED_FIELDS = 8
};

/* A set of ids: open addressing, grown at half full. */
struct map_seen {
    const char **slots;
    size_t size; /* a power of two */
    size_t used;
};

void map_init(struct map *map, struct feed_context *context, struct isg_fail *why)
{
    *map = (struct map){.context = context, .why = why};
    isg_buf_init(&map->text, OBJECT_MAX);
    map->arena = isg_arena_new(ARENA_MAX);
    map->seen = map->arena == NULL ? NULL : isg_arena_alloc(map->arena, sizeof *map->seen);
    if (map->seen == NULL)
        map->err = isg_fail(why, ISG_ENOMEM, "no memory");
}

void map_done(struct map *map)
{
    isg_buf_done(&map->text);
    isg_arena_free(&map->arena);
}

int map_fail(struct map *map, int code, const char *path, const char *text)
{
    if (map->err == ISG_OK)
        map->err = isg_fail_at(map->why, code, path, NULL, "%s", text);
    return map->err;
}

void map_id(struct map *map, const char *type, const struct isg_str *fields, size_t count,
            char out[STIX_ID_MAX + 1])
{
    struct isg_buf name;
    isg_buf_init(&name, OBJECT_MAX);
    for (size_t i = 0; i < count; i++)
        stix_id_name_field(&name, fields[i]);
    if (name.err != ISG_OK)
        map_fail(map, name.err, NULL, "no memory");
    stix_id_named(type, map->context->space, isg_buf_str(&name), out);
    isg_buf_done(&name);
}

void map_shared_id(struct map *map, const char *type, const struct isg_str *fields, size_t count,
                   char out[STIX_ID_MAX + 1])
{
    struct isg_str all[SHARED_FIELDS] = {{NULL, 0}};
    if (count >= SHARED_FIELDS) {
        map_fail(map, ISG_EUSAGE, NULL, "an id of too many fields");
        return;
    }
    memcpy(all, fields, count * sizeof *fields);
    all[count] = map->apart;
    map_id(map, type, all, map->apart.n > 0 ? count + 1 : count, out);
}

void map_relationship_id(struct map *map, const char *type, const char *source, const char *target,
                         char out[STIX_ID_MAX + 1])
{
    struct isg_str fields[] = {ISG_STR("relationship"), isg_str_of(type), isg_str_of(source),
                               isg_str_of(target)};
    map_id(map, "relationship", fields, 4, out);
}

static size_t hash_of(const char *id)
{
    uint64_t h = 1469598103934665603U;
    for (; *id != '\0'; id++)
        h = (h ^ (unsigned char)*id) * 1099511628211U;
    return (size_t)(h ^ h >> 32);
}

static const char **slot_of(const struct map_seen *seen, const char *id)
{
    size_t at = hash_of(id) & (seen->size - 1);
    while (seen->slots[at] != NULL && strcmp(seen->slots[at], id) != 0)
        at = (at + 1) & (seen->size - 1);
    return &seen->slots[at];
}

static bool seen_grow(struct map *map)
{
    struct map_seen old = *map->seen;
    size_t size = old.size == 0 ? SEEN_SLOTS : old.size * 2;
    const char **slots = isg_arena_alloc(map->arena, size * sizeof *slots);
    if (slots == NULL)
        return false;
    *map->seen = (struct map_seen){slots, size, old.used};
    for (size_t i = 0; i < old.size; i++) {
        if (old.slots[i] != NULL)
            *slot_of(map->seen, old.slots[i]) = old.slots[i];
    }
    return true;
}

bool map_is_new(struct map *map, const char *id)
{
    if (map->err != ISG_OK)
        return false;
    if (map->seen->used * 2 >= map->seen->size && !seen_grow(map)) {
        map_fail(map, ISG_ENOMEM, NULL, "no memory");
        return false;
    }
    const char **slot = slot_of(map->seen, id);
    if (*slot != NULL)
        return false;
    *slot = isg_arena_copy(map->arena, isg_str_of(id));
    if (*slot == NULL)
        map_fail(map, ISG_ENOMEM, NULL, "no memory");
    map->seen->used++;
    return map->err == ISG_OK;
}

void map_begin(struct map *map, const struct map_head *head)
{
    isg_buf_reset(&map->text);
    isg_jsonw_init(&map->w, &map->text);
    isg_jsonw_object(&map->w);
    isg_jsonw_put(&map->w, "type", head->type);
    isg_jsonw_put(&map->w, "spec_version", "2.1");
    isg_jsonw_put(&map->w, "id", head->id);
    isg_jsonw_put(&map->w, "created_by_ref", head->creator);
    isg_jsonw_put(&map->w, "created", head->created);
    isg_jsonw_put(&map->w, "modified", head->modified);
    if (map->marking != NULL) {
        isg_jsonw_name(&map->w, "object_marking_refs");
        isg_jsonw_list(&map->w);
        isg_jsonw_str(&map->w, isg_str_of(map->marking));
        isg_jsonw_end(&map->w);
    }
}

void map_end(struct map *map, const char *facet)
{
    isg_jsonw_end(&map->w);
    if (map->err == ISG_OK && map->text.err != ISG_OK)
        map_fail(map, map->text.err, NULL, "an object grew too large");
    if (map->err == ISG_OK)
        map->err = map->context->emit(map->context->arg, isg_buf_str(&map->text),
                                      facet != NULL ? facet : map->tag, map->why);
}

void map_sco_begin(struct map *map, const char *type)
{
    isg_buf_reset(&map->text);
    isg_jsonw_init(&map->w, &map->text);
    isg_jsonw_object(&map->w);
    isg_jsonw_put(&map->w, "type", type);
}

bool map_sco_id(struct map *map, char out[STIX_ID_MAX + 1])
{
    struct stix_json *tree = NULL;
    isg_jsonw_end(&map->w);
    int err = map->text.err;
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&map->text), NULL, &tree, map->why);
    if (err == ISG_OK)
        err = stix_id_sco(tree, out, NULL, map->why);
    stix_json_free(&tree);
    if (map->err == ISG_OK)
        map->err = err;
    return err == ISG_OK;
}

void map_sco_id_sorted(struct map *map, const char *type, char out[STIX_ID_MAX + 1])
{
    struct isg_buf name;
    isg_jsonw_end(&map->w);
    struct isg_str members =
        isg_str_from(isg_buf_str(&map->text), strlen("{'type':'',") + strlen(type));
    isg_buf_init(&name, OBJECT_MAX);
    isg_buf_putc(&name, '{');
    isg_buf_put_str(&name, members);
    if (map->text.err != ISG_OK || name.err != ISG_OK)
        map_fail(map, ISG_ENOMEM, NULL, "no memory");
    stix_id_named(type, STIX_NS_SCO, isg_buf_str(&name), out);
    isg_buf_done(&name);
}

/* All of these contribute to the id; in byte order of their names. */
static void software_put(struct map *map, const struct map_software *software)
{
    map_string(map, "cpe", software->cpe);
    isg_jsonw_put_str(&map->w, "name", software->name);
    map_string(map, "vendor", software->vendor);
    map_string(map, "version", software->version);
}

bool map_software(struct map *map, const struct map_software *software, char out[STIX_ID_MAX + 1])
{
    map_sco_begin(map, "software");
    software_put(map, software);
    map_sco_id_sorted(map, "software", out);
    if (map_is_new(map, out)) {
        map_begin(map, &(struct map_head){"software", out, NULL, NULL, NULL});
        software_put(map, software);
        map_end(map, NULL);
    }
    return map->err == ISG_OK;
}

void map_extension_begin(struct map *map, const char *id)
{
    isg_jsonw_name(&map->w, "extensions");
    isg_jsonw_object(&map->w);
    isg_jsonw_name(&map->w, id);
    isg_jsonw_object(&map->w);
    isg_jsonw_put(&map->w, "extension_type", "property-extension");
}

void map_extension_end(struct map *map)
{
    isg_jsonw_end(&map->w);
    isg_jsonw_end(&map->w);
}

void map_strings(struct map *map, const char *name, const struct text_list *list)
{
    if (list->count == 0)
        return;
    isg_jsonw_name(&map->w, name);
    isg_jsonw_list(&map->w);
    for (size_t i = 0; i < list->count; i++)
        isg_jsonw_str(&map->w, list->items[i]);
    isg_jsonw_end(&map->w);
}

void map_string(struct map *map, const char *name, struct isg_str value)
{
    if (value.n > 0)
        isg_jsonw_put_str(&map->w, name, value);
}

/* ---- identities and definitions ------------------------------------------------------------- */

static void organisation_id(struct map *map, struct isg_str name, char out[STIX_ID_MAX + 1])
{
    struct isg_str slug = text_slug(map->arena, name);
    struct isg_str fields[] = {ISG_STR("identity"), ISG_STR("org"), slug.n > 0 ? slug : name};
    map_shared_id(map, "identity", fields, 3, out);
}

static void organisation_write(struct map *map, const char *id, struct isg_str name,
                               struct isg_str home)
{
    const char *creator = strcmp(id, map->owner) == 0 ? NULL : map->owner;
    map_begin(map, &(struct map_head){"identity", id, MAP_EPOCH, MAP_EPOCH, creator});
    isg_jsonw_put_str(&map->w, "name", name);
    isg_jsonw_put(&map->w, "identity_class", "organization");
    if (text_is_web_url(home)) {
        struct map_references list = {0};
        map_reference_add(map, &list, &(struct map_reference){MAP_RANK_URL, name, .url = home});
        map_references_write(map, &list);
    }
    map_end(map, NULL);
}

void map_organisation(struct map *map, struct isg_str name, struct isg_str home,
                      char out[STIX_ID_MAX + 1])
{
    organisation_id(map, name, out);
    if (map_is_new(map, out))
        organisation_write(map, out, name, home);
}

/* The owner's name, and its id in map->owner. */
static struct isg_str owner_name(struct map *map)
{
    struct isg_str name = text_clean(map->arena, map->context->owner);
    if (name.n == 0)
        name = ISG_STR("ISAO Gateway");
    organisation_id(map, name, map->owner);
    return name;
}

void map_owner(struct map *map)
{
    (void)owner_name(map);
}

void map_preamble(struct map *map, const char *const *extensions)
{
    struct isg_str name = owner_name(map);
    const char *marking = map->marking;
    map->marking = feed_clear_marking(); /* who we are and what we mean is no secret */
    if (map_is_new(map, map->owner))
        organisation_write(map, map->owner, name, (struct isg_str){0});
    for (size_t i = 0; extensions[i] != NULL && map->err == ISG_OK; i++)
        extension_write(map, extensions[i]);
    map->marking = marking;
}

/* ---- external references -------------------------------------------------------------------- */

void map_reference_add(struct map *map, struct map_references *list,
                       const struct map_reference *reference)
{
    if (reference->source_name.n == 0 || (reference->external_id.n == 0 && reference->url.n == 0))
        return;
    if (list->count == REFERENCES_MAX)
        return; /* more serve nobody, and each costs a comparison with all others */
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 8 : list->room * 2;
        struct map_reference *items = isg_arena_alloc(map->arena, room * sizeof *items);
        if (items == NULL) {
            map_fail(map, ISG_ENOMEM, NULL, "no memory");
            return;
        }
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = *reference;
}

static int by_rank(const void *a, const void *b)
{
    const struct map_reference *x = a;
    const struct map_reference *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    int order = isg_str_cmp(x->external_id, y->external_id);
    if (order == 0)
        order = isg_str_cmp(x->url, y->url);
    if (order == 0)
        order = isg_str_cmp(x->source_name, y->source_name);
    return order != 0 ? order : isg_str_cmp(x->description, y->description);
}

/* The URL, or the identifier under the same name, stands further up already. */
static bool is_repeated(const struct map_references *list, size_t i)
{
    const struct map_reference *item = &list->items[i];
    for (size_t k = 0; k < i; k++) {
        const struct map_reference *other = &list->items[k];
        if (item->url.n > 0 && isg_str_eq(item->url, other->url))
            return true;
        if (item->url.n == 0 && isg_str_eq(item->external_id, other->external_id) &&
            isg_str_eq(item->source_name, other->source_name))
            return true;
    }
    return false;
}

/*
 * A url is to come with the SHA-256 of what stands there (S-020). Of a page that nobody fetched there
 * is none: its address is then told in the description.
 */
static struct isg_str description_of(struct map *map, const struct map_reference *item)
{
    if (item->url.n == 0 || item->sha256.n > 0)
        return item->description;
    if (item->description.n == 0)
        return item->url;
    return isg_str_of(isg_arena_printf(map->arena, "%.*s: %.*s", ISG_STR_ARG(item->description),
                                       ISG_STR_ARG(item->url)));
}

static void reference_write(struct map *map, const struct map_reference *item)
{
    isg_jsonw_object(&map->w);
    isg_jsonw_put_str(&map->w, "source_name", item->source_name);
    map_string(map, "description", description_of(map, item));
    if (item->sha256.n > 0 && item->url.n > 0) {
        isg_jsonw_put_str(&map->w, "url", item->url);
        isg_jsonw_name(&map->w, "hashes");
        isg_jsonw_object(&map->w);
        isg_jsonw_put_str(&map->w, "SHA-256", item->sha256);
        isg_jsonw_end(&map->w);
    }
    map_string(map, "external_id", item->external_id);
    isg_jsonw_end(&map->w);
}

void map_references_write(struct map *map, struct map_references *list)
{
    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof *list->items, by_rank);
    isg_jsonw_name(&map->w, "external_references");
    isg_jsonw_list(&map->w);
    for (size_t i = 0; i < list->count; i++) {
        if (!is_repeated(list, i))
            reference_write(map, &list->items[i]);
    }
    isg_jsonw_end(&map->w);
}
