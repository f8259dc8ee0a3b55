/*
 * Events that are in a log twice. `last` and `first` come out of what the store counts as newer and
 * older; all and listed versions are asked here.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/share/select_private.h"

/*
 * The form before it counts as newer and as older, and stands under another label: under the same one
 * it would not have been announced again. Most events show by that alone that they are no repeat, also
 * those in the middle of many versions, and nothing is looked up.
 */
static bool could_be_again(const struct selection *s, const struct store_event *event)
{
    size_t i = 0;
    size_t k = 0;
    while (i < event->newer_count && k < event->older_count) {
        uint32_t newer = event->newer[i];
        uint32_t older = event->older[k];
        if (newer == older && newer != event->label && view_sees(s->view, newer))
            return true;
        i += newer <= older;
        k += older <= newer;
    }
    return false;
}

bool select_is_again(const struct selection *s, const struct store_event *event,
                     const struct store_event *family, size_t count)
{
    if (!could_be_again(s, event))
        return false;
    for (size_t i = 0; i < count && family[i].position < event->position; i++)
        if (select_sees(s, &family[i]) &&
            memcmp(family[i].digest, event->digest, sizeof event->digest) == 0)
            return true;
    return false;
}

/* The versions of an id; those of the last one are kept, for there may be many in a row. */
static int look_up(struct selection *s, struct isg_str id)
{
    if (s->family_count > 0 && isg_str_eq(s->family[0].id, id))
        return ISG_OK;
    free(s->family);
    s->family = NULL;
    s->family_count = 0;
    return store_versions(s->store, s->collection, id, &s->family, &s->family_count, s->why);
}

int select_again(struct selection *s, const struct store_event *event, bool *out)
{
    *out = false;
    if (!could_be_again(s, event))
        return ISG_OK;
    if (!s->may_wait)
        return isg_fail(s->why, ISG_EBUSY, "an object's versions are looked up in the store");
    int err = look_up(s, event->id);
    *out = err == ISG_ENOENT || /* deleted meanwhile */
           (err == ISG_OK && select_is_again(s, event, s->family, s->family_count));
    return err == ISG_ENOENT ? ISG_OK : err;
}
