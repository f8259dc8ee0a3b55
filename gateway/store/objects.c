/*
 * The canonical bytes of events: neighbours of one pack with one command. What comes is held against
 * the event's digest before it is given out, so that a record that is out of date (a log that was
 * restored) or a damaged value can show nobody anything else.
 */
#include <string.h>

#include "gateway/store/inside.h"
#include "gateway/store/names.h"

enum {
    AT_ONCE = 256,        /* events whose bytes are held in memory beside the caller's buffer */
    GAP_BYTES = 1024,     /* rather read over so many that nobody asked for than ask once more */
    RANGE_BYTES = 1 << 20 /* of one command, unless a single object is longer */
};

/* Where the bytes of one event lie in the replies. */
struct found {
    size_t reply;
    size_t offset;
};

static uint64_t end_of(const struct store_shelf *shelf)
{
    return (uint64_t)shelf->offset + shelf->bytes;
}

/* Can one command that reads from first on up to end read this one too? */
static bool follows(const struct store_shelf *first, uint64_t end, const struct store_shelf *next)
{
    return first->pack > 0 && next->pack == first->pack && next->offset >= end &&
           next->offset - end <= GAP_BYTES && end_of(next) - first->offset <= RANGE_BYTES;
}

/* Ask for the i-th event and those that follow it; index behind the last of them. */
static size_t put_run(const char *collection, const struct store_event *const *events, size_t i,
                      size_t n, struct redis_pipe *pipe, struct found *found)
{
    struct names_key key;
    struct names_key from;
    struct names_key to;
    const struct store_shelf *first = &events[i]->shelf;
    uint64_t end = end_of(first);
    if (first->pack == 0) {
        found[i] = (struct found){pipe->count, 0};
        REDIS(pipe, ISG_STR("GET"), names_object(&key, collection, events[i]->digest));
        return i + 1;
    }
    found[i++] = (struct found){pipe->count, 0};
    for (; i < n && follows(first, end, &events[i]->shelf); i++) {
        found[i] = (struct found){pipe->count, events[i]->shelf.offset - first->offset};
        end = end_of(&events[i]->shelf);
    }
    REDIS(pipe, ISG_STR("GETRANGE"), names_pack(&key, collection, first->pack),
          names_number(&from, first->offset), names_number(&to, end - (end > 0)));
    return i;
}

static int ask(struct store *store, const char *collection, const struct store_event *const *events,
               size_t n, struct redis_pipe *pipe, struct found *found, struct isg_fail *why)
{
    redis_pipe_reset(pipe);
    for (size_t i = 0; i < n;)
        i = put_run(collection, events, i, n, pipe, found);
    int err = redis_call(store->redis, REDIS_READ, pipe, why);
    for (size_t i = 0; i < pipe->count && err == ISG_OK; i++)
        if (!redis_is_nil(redis_nth(pipe, i)))
            err = redis_expect(redis_nth(pipe, i), REDIS_TEXT, why);
    return err;
}

static bool pick(const struct redis_pipe *pipe, const struct store_event *event,
                 const struct found *found, struct isg_str *out)
{
    uint8_t digest[ISG_SHA256_BYTES];
    struct isg_str text = redis_text(redis_nth(pipe, found->reply)); /* "" for nil */
    if (event->shelf.pack > 0) {
        if (text.n < found->offset + event->shelf.bytes)
            return false;
        text = (struct isg_str){text.p + found->offset, event->shelf.bytes};
    }
    if (text.n == 0 || text.p[0] == '\0') /* erased */
        return false;
    isg_sha256(text, digest);
    *out = text;
    return memcmp(digest, event->digest, sizeof digest) == 0;
}

int store_objects(struct store *store, const char *collection,
                  const struct store_event *const *events, size_t n, struct isg_buf *out,
                  size_t *sizes, struct isg_fail *why)
{
    struct journal *j;
    struct redis_pipe pipe;
    struct found found[AT_ONCE];
    int err = store_journal(store, collection, &j, why);
    redis_pipe_init(&pipe);
    for (size_t from = 0; from < n && err == ISG_OK; from += AT_ONCE) {
        size_t some = n - from < AT_ONCE ? n - from : AT_ONCE;
        err = ask(store, collection, events + from, some, &pipe, found, why);
        for (size_t i = 0; i < some && err == ISG_OK; i++) {
            struct isg_str text;
            bool there = pick(&pipe, events[from + i], &found[i], &text);
            sizes[from + i] = there ? text.n : SIZE_MAX;
            if (there)
                isg_buf_put_str(out, text);
        }
    }
    redis_pipe_done(&pipe);
    if (err == ISG_OK && out->err != ISG_OK)
        err = isg_fail(why, out->err, "%s", isg_strerror(out->err));
    return err;
}

size_t store_objects_fit(const struct store_event *const *events, size_t n, size_t max)
{
    size_t i = 0;
    for (; i < n && events[i]->shelf.bytes <= max; i++)
        max -= events[i]->shelf.bytes;
    return i;
}
