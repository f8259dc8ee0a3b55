#include "gateway/share/view.h"

#include <limits.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/base/time.h"

bool view_sees(const struct view *view, uint32_t label)
{
    return label < view->labels && (view->sees[label / 8] >> (label % 8) & 1) != 0;
}

/* Equal for equal sets: labels that are not seen at the end do not count. */
static uint64_t key_of(const struct view *view)
{
    uint8_t digest[ISG_SHA256_BYTES];
    uint64_t key = 0;
    size_t n = ((size_t)view->labels + 7) / 8;
    while (n > 0 && view->sees[n - 1] == 0)
        n--;
    isg_sha256((struct isg_str){(const char *)view->sees, n}, digest);
    memcpy(&key, digest, sizeof key);
    return key;
}

const struct view *view_of(struct store *store, const struct collection *collection,
                           const struct member *member, struct isg_arena *arena)
{
    struct view *view = isg_arena_alloc(arena, sizeof *view);
    if (view == NULL)
        return NULL;
    /* Labels are learned with the head: this waits only before a collection's very first use. */
    struct store_head head;
    (void)store_head(store, collection->id, UINT_MAX, &head, NULL);
    view->labels = store_label_count(store, collection->id);
    view->sees = isg_arena_alloc(arena, (size_t)view->labels / 8 + 1);
    if (view->sees == NULL)
        return NULL;
    int64_t now_us = isg_time_now_us();
    bool reads = member == NULL || collection_can_read(collection, member);
    for (uint32_t i = 0; reads && i < view->labels; i++) {
        const char *text = store_label(store, collection->id, i);
        struct policy_label label = policy_label_read(isg_str_of(text));
        if (member == NULL || policy_decide(&label, member, now_us) == POLICY_ALLOW)
            view->sees[i / 8] |= (uint8_t)(1U << (i % 8));
    }
    view->key = key_of(view);
    return view;
}
