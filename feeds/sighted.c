#include "feeds/sighted.h"

#include <stddef.h>

/* The texts by their names; the first ones must be there. */
static const struct {
    const char *name;
    size_t offset;
    bool required;
} texts[] = {
    {"observed", offsetof(struct sighted, observed), true},
    {"where", offsetof(struct sighted, where), true},
    {"space", offsetof(struct sighted, space), true},
    {"start", offsetof(struct sighted, start), true},
    {"first", offsetof(struct sighted, first), true},
    {"last", offsetof(struct sighted, last), true},
    {"peer", offsetof(struct sighted, peer), false},
    {"domain", offsetof(struct sighted, domain), false},
    {"md5", offsetof(struct sighted, md5), false},
    {"sha1", offsetof(struct sighted, sha1), false},
    {"sha256", offsetof(struct sighted, sha256), false},
    {"named", offsetof(struct sighted, named), false},
};

static const struct isg_str *text_at(const struct sighted *sighted, size_t i)
{
    return (const struct isg_str *)(const void *)((const char *)sighted + texts[i].offset);
}

void sighted_put(struct isg_jsonw *w, const struct sighted *sighted)
{
    isg_jsonw_object(w);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (text_at(sighted, i)->n > 0)
            isg_jsonw_put_str(w, texts[i].name, *text_at(sighted, i));
    isg_jsonw_put_int(w, "number", sighted->number);
    isg_jsonw_put_int(w, "port", sighted->port);
    isg_jsonw_put_bool(w, "outbound", sighted->outbound);
    isg_jsonw_put_bool(w, "inbound", sighted->inbound);
    isg_jsonw_end(w);
}

void sighted_write(struct map *map, const struct sighted *sighted)
{
    isg_buf_reset(&map->text);
    isg_jsonw_init(&map->w, &map->text);
    sighted_put(&map->w, sighted);
    if (map->err == ISG_OK && map->text.err != ISG_OK)
        map_fail(map, map->text.err, NULL, "what an observation is compared by grew too large");
    if (map->err == ISG_OK)
        map->err =
            map->context->emit(map->context->arg, isg_buf_str(&map->text), SIGHTED_FACET, map->why);
}

bool sighted_read(const struct stix_json *json, struct sighted *out)
{
    int64_t us;
    *out = (struct sighted){.number = 0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct isg_str text = stix_json_get_str(json, texts[i].name);
        if (texts[i].required && text.n == 0)
            return false;
        *(struct isg_str *)(void *)((char *)out + texts[i].offset) = text;
    }
    out->outbound = stix_json_bool(stix_json_get(json, "outbound"));
    out->inbound = stix_json_bool(stix_json_get(json, "inbound"));
    return stix_json_int(stix_json_get(json, "number"), &out->number) && out->number > 0 &&
           stix_json_int(stix_json_get(json, "port"), &out->port) &&
           stix_id_split(out->observed, NULL, NULL) && stix_id_split(out->where, NULL, NULL) &&
           isg_uuid_is_valid(out->space, NULL) && isg_time_parse(out->start, &us) &&
           isg_time_parse(out->first, &us) && isg_time_parse(out->last, &us);
}
