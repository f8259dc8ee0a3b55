#include "feeds/extensions.h"

#include "stix/marking.h"

const char *feed_clear_marking(void)
{
    return stix_tlp_marking_id(STIX_TLP_CLEAR);
}

static void emit(struct map *map)
{
    if (map->err == ISG_OK && map->text.err != ISG_OK)
        map_fail(map, map->text.err, NULL, "an object grew too large");
    if (map->err == ISG_OK)
        map->err = map->context->emit(map->context->arg, isg_buf_str(&map->text), NULL, map->why);
}

/* Not marked as the document is: the same bytes wherever the definition is met. */
void extension_write(struct map *map, const char *id)
{
    const struct stix_extension *extension = stix_extension_of(isg_str_of(id));
    if (extension == NULL)
        return;
    if (map_is_new(map, STIX_EXTENSION_CREATOR)) {
        isg_buf_reset(&map->text);
        stix_extension_creator_write(&map->text);
        emit(map);
    }
    if (map_is_new(map, id)) {
        isg_buf_reset(&map->text);
        stix_extension_write(extension, &map->text);
        emit(map);
    }
}
