#include "gateway/taxii/page.h"

#include <string.h>

#include "stix/base/jsonw.h"

#define STIX_MEDIA_TYPE "application/stix+json;version=2.1"

enum { TAXII_TIME_DIGITS = 6 }; /* T-006 */

struct isg_str page_version(const struct store_event *event, char room[ISG_TIME_TEXT])
{
    if (event->version.n > 0)
        return event->version;
    isg_time_format(event->date_added_us, TAXII_TIME_DIGITS, room);
    return isg_str_of(room);
}

static void note_event(struct page_text *text, const struct store_event *event)
{
    if (text->objects++ == 0)
        text->first_us = event->date_added_us;
    text->last_us = event->date_added_us;
}

/* One after the other, with commas; objects that are gone meanwhile are left out. */
static void write_objects(struct isg_jsonw *w, const struct store_event *events, size_t count,
                          const struct page_objects *objects, struct page_text *text)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size = objects->sizes[i];
        if (size == SIZE_MAX)
            continue;
        isg_jsonw_raw(w, (struct isg_str){objects->bytes.p + at, size});
        at += size;
        note_event(text, &events[i]);
    }
}

/* T-108, T-109. */
static void write_record(struct isg_jsonw *w, const struct store_event *event)
{
    char date[ISG_TIME_TEXT];
    char room[ISG_TIME_TEXT];
    isg_time_format(event->date_added_us, TAXII_TIME_DIGITS, date);
    isg_jsonw_object(w);
    isg_jsonw_put_str(w, "id", event->id);
    isg_jsonw_put(w, "date_added", date);
    isg_jsonw_put_str(w, "version", page_version(event, room));
    isg_jsonw_put(w, "media_type", STIX_MEDIA_TYPE);
    isg_jsonw_end(w);
}

static void write_events(struct isg_jsonw *w, enum query_endpoint endpoint,
                         const struct store_event *events, size_t count, struct page_text *text)
{
    char room[ISG_TIME_TEXT];
    for (size_t i = 0; i < count; i++) {
        if (endpoint == QUERY_MANIFEST)
            write_record(w, &events[i]);
        else
            isg_jsonw_str(w, page_version(&events[i], room));
        note_event(text, &events[i]);
    }
}

static bool has_any(size_t count, const struct page_objects *objects)
{
    if (objects == NULL)
        return count > 0;
    for (size_t i = 0; i < count; i++)
        if (objects->sizes[i] != SIZE_MAX)
            return true;
    return false;
}

void page_write(enum query_endpoint endpoint, const struct store_event *events, size_t count,
                const struct page_objects *objects, struct isg_str next, struct page_text *text)
{
    struct isg_jsonw w;
    text->objects = 0;
    if (objects != NULL)
        (void)isg_buf_reserve(&text->out, objects->bytes.len + count + 256);
    isg_jsonw_init(&w, &text->out);
    isg_jsonw_object(&w);
    if (next.n > 0) {
        isg_jsonw_put_bool(&w, "more", true);
        isg_jsonw_put_str(&w, "next", next); /* on every paged endpoint (T-062, X-09) */
    }
    if (has_any(count, objects)) {
        isg_jsonw_name(&w, endpoint == QUERY_VERSIONS ? "versions" : "objects");
        isg_jsonw_list(&w);
        if (objects != NULL)
            write_objects(&w, events, count, objects, text);
        else
            write_events(&w, endpoint, events, count, text);
        isg_jsonw_end(&w);
    }
    isg_jsonw_end(&w);
}

bool page_is_current(struct store *store, const char *collection, struct page *page,
                     const struct store_head *head)
{
    if (head->log != page->head.log)
        return false; /* its positions and labels are those of another log */
    if (page->reached_head &&
        (head->position != page->head.position || head->date_added_us != page->head.date_added_us))
        return false;
    if (atomic_load_explicit(&page->generation, memory_order_acquire) == head->generation)
        return true;
    if (page->blocks == 0)
        return false;
    for (size_t i = 0; i < page->blocks; i++) {
        uint64_t generation = 0;
        if (!store_generation_now(store, collection, page->first_block + i, &generation) ||
            generation != page->block_generation[i])
            return false;
    }
    /* Something changed, but elsewhere: the next look is short again. */
    atomic_store_explicit(&page->generation, head->generation, memory_order_release);
    return true;
}

bool page_etag_matches(struct isg_str if_none_match, const char *etag)
{
    struct isg_str rest = isg_str_trim(if_none_match);
    if (isg_str_is(rest, "*"))
        return true;
    struct isg_str piece;
    while (isg_str_split(&rest, ',', &piece)) {
        piece = isg_str_trim(piece);
        if (isg_str_starts(piece, ISG_STR("W/")))
            piece = isg_str_from(piece, 2);
        if (isg_str_is(piece, etag))
            return true;
    }
    return false;
}
