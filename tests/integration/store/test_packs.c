/* Packs of objects' bytes: what erasing leaves of them, and stores that have none yet (layout 3). */
#define _GNU_SOURCE /* memmem */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/events.h"
#include "gateway/store/names.h"
#include "gateway/store/redis.h"
#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

static const char C1[] = "packs";
static const char JAN[] = "2024-01-01T00:00:00.000Z";
static const char FEB[] = "2024-02-01T00:00:00.000Z";

enum { OBJECTS = 200 }; /* several packs */

static struct redis *client; /* beside the store, on the same server */

static struct bed_object objects[OBJECTS];

/* The number that one command answers with; -1 where it does not. */
static long long number_of(struct redis_pipe *pipe)
{
    long long n = -1;
    if (redis_call(client, REDIS_READ, pipe, NULL) == ISG_OK &&
        redis_expect(redis_nth(pipe, 0), REDIS_INT, NULL) == ISG_OK)
        n = redis_number(redis_nth(pipe, 0));
    redis_pipe_done(pipe);
    return n;
}

static long long erased_packs(void)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("HLEN"), names_erased(&key, C1));
    return number_of(&pipe);
}

static long long is_pack(uint64_t pack)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("EXISTS"), names_pack(&key, C1, pack));
    return number_of(&pipe);
}

/* Does any pack hold that text? */
static bool packs_hold(const char *text)
{
    bool found = false;
    for (uint64_t pack = 1; pack <= 2 * OBJECTS + 2; pack++) {
        struct redis_pipe pipe;
        struct names_key key;
        redis_pipe_init(&pipe);
        REDIS(&pipe, ISG_STR("GET"), names_pack(&key, C1, pack));
        if (redis_call(client, REDIS_READ, &pipe, NULL) == ISG_OK) {
            struct isg_str bytes = redis_text(redis_nth(&pipe, 0));
            found = found || memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
        }
        redis_pipe_done(&pipe);
    }
    return found;
}

static unsigned count_readable(struct store *store)
{
    unsigned n = 0;
    for (unsigned i = 0; i < OBJECTS; i++) {
        struct isg_buf out;
        size_t size = SIZE_MAX;
        isg_buf_init(&out, ISG_BUF_NO_MAX);
        n += bed_read(store, C1, &objects[i], &out, &size) == ISG_OK && size == out.len &&
             isg_str_is(isg_buf_str(&out), objects[i].canon);
        isg_buf_done(&out);
    }
    return n;
}

static bool erase(struct store *store, unsigned i)
{
    return store_delete(store, C1, isg_str_of(objects[i].id), ISG_STR(""), BED_SEES_ALL, NULL) ==
           ISG_OK;
}

static void push_all(struct store *store)
{
    struct store_put puts[OBJECTS];
    for (unsigned i = 0; i < OBJECTS; i++) {
        char content[32];
        snprintf(content, sizeof content, "secret %u.", i);
        bed_object(&objects[i], i, JAN, "clear", content);
        puts[i] = bed_put(&objects[i]);
    }
    is_int(store_commit(store, C1, puts, OBJECTS, BED_SEES_ALL, NULL), ISG_OK, "pushed");
    is_int(count_readable(store), OBJECTS, "all can be read");
}

static bool is_whole(struct store *store)
{
    struct store_survey survey;
    return store_survey(store, C1, 10000, &survey, NULL) == ISG_OK && survey.lost_objects == 0 &&
           survey.lost_entries == 0 && survey.lost_records == 0;
}

/* One by one out of the first pack: bytes go at once, neighbours stay, the last takes the pack. */
static void check_erasing(struct store *store)
{
    unsigned gone = 0;
    ok(packs_hold("secret 3."), "the bytes lie in a pack");
    ok(erase(store, 3), "one is deleted");
    ok(!packs_hold("secret 3."), "its bytes are gone");
    is_int(erased_packs(), 1, "a pack that lost bytes is noted");
    is_int(count_readable(store), OBJECTS - 1, "its neighbours are there");
    ok(is_whole(store), "nothing is missed");
    for (unsigned i = 0; is_pack(1) == 1 && i < OBJECTS; i++)
        gone += i != 3 && erase(store, i);
    ok(gone > 0 && is_pack(1) == 0, "the last one of it takes the pack (%u)", gone + 1);
    is_int(erased_packs(), 0, "and its note");
    is_int(count_readable(store), OBJECTS - 1 - gone, "other packs are as they were");
    ok(is_whole(store), "nothing is missed");
}

/* Time is over for all: packs go as a whole. */
static void check_expiry(struct store *store)
{
    size_t gone;
    bool more = true;
    for (int round = 0; more && round < 100; round++)
        if (store_expire(store, C1, INT64_MAX, &gone, &more, NULL) != ISG_OK)
            break;
    ok(!more && !packs_hold("secret"), "nothing is left when its time is over");
    is_int(erased_packs(), 0, "nor a note");
    is_int(count_readable(store), 0, "and nothing can be read");
}

/* A value that was overwritten behind our back is given to nobody, and the doctor's look sees a lost one. */
static void check_damage(struct store *store)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct store_survey survey;
    push_all(store);
    uint64_t pack = OBJECTS + 1;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SETRANGE"), names_pack(&key, C1, pack), ISG_STR("20"), ISG_STR("?"));
    ok(number_of(&pipe) > 0, "a byte is another");
    is_int(count_readable(store), OBJECTS - 1, "that object is not given out");
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("DEL"), names_pack(&key, C1, pack));
    is_int(number_of(&pipe), 1, "a pack is lost");
    is_int(store_survey(store, C1, 10000, &survey, NULL), ISG_OK, "a look");
    ok(survey.lost_objects > 1 && OBJECTS - survey.lost_objects == count_readable(store),
       "tells how many objects that are (%llu)", (unsigned long long)survey.lost_objects);
}

/* ---- layout 3 ------------------------------------------------------------------------------- */

/* Records without packs; their bytes go under their digests, where old says whose they are. */
static void rewrite(struct redis_pipe *out, struct isg_str records, struct isg_buf *to,
                    struct isg_buf *places)
{
    struct event_record record;
    while (event_read(&records, &record)) {
        struct names_key key;
        size_t before = to->len;
        record.shelf = (struct store_shelf){.pack = 0};
        event_write(to, &record);
        for (unsigned i = 0; i < OBJECTS; i++)
            if (memcmp(objects[i].digest, record.digest, sizeof record.digest) == 0)
                REDIS(out, ISG_STR("SET"), names_object(&key, C1, record.digest),
                      isg_str_of(objects[i].canon));
        if (places != NULL)
            event_place_write(places, &(struct event_place){.position = record.position,
                                                            .offset = (uint32_t)before,
                                                            .bytes = (uint32_t)(to->len - before)});
    }
}

/* Turn the value of a key into what layout 3 would have. */
static bool rewrite_key(struct isg_str name, struct isg_buf *places)
{
    struct redis_pipe in;
    struct redis_pipe out;
    struct isg_buf records;
    redis_pipe_init(&in);
    redis_pipe_init(&out);
    isg_buf_init(&records, ISG_BUF_NO_MAX);
    REDIS(&in, ISG_STR("GET"), name);
    bool good = redis_call(client, REDIS_READ, &in, NULL) == ISG_OK;
    rewrite(&out, redis_text(redis_nth(&in, 0)), &records, places);
    REDIS(&out, ISG_STR("SET"), name, isg_buf_str(&records));
    good = good && redis_call(client, REDIS_WRITE, &out, NULL) == ISG_OK;
    redis_pipe_done(&in);
    redis_pipe_done(&out);
    isg_buf_done(&records);
    return good;
}

static bool make_old(void)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct isg_buf places;
    bool good = true;
    isg_buf_init(&places, ISG_BUF_NO_MAX);
    for (unsigned i = 0; i < OBJECTS; i++)
        good = good && rewrite_key(names_index(&key, C1, isg_str_of(objects[i].id)), NULL);
    good = good && rewrite_key(names_block(&key, C1, 0), &places);
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("SET"), names_places(&key, C1, 0), isg_buf_str(&places));
    for (uint64_t pack = 1; pack <= OBJECTS; pack++)
        REDIS(&pipe, ISG_STR("DEL"), names_pack(&key, C1, pack));
    REDIS(&pipe, ISG_STR("SET"), names_schema(&key), ISG_STR("3"));
    good = good && redis_call(client, REDIS_WRITE, &pipe, NULL) == ISG_OK;
    redis_pipe_done(&pipe);
    isg_buf_done(&places);
    return good;
}

static long long is_object(const struct bed_object *object)
{
    struct redis_pipe pipe;
    struct names_key key;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("EXISTS"), names_object(&key, C1, object->digest));
    return number_of(&pipe);
}

/* What an older gateway wrote is read, deleted, and gets newer versions like anything else. */
static void check_old(const char *dir, const char *url)
{
    struct bed_object newer;
    struct isg_buf out;
    size_t size;
    struct store *store = bed_open(dir, url, 5000);
    push_all(store);
    store_close(&store);
    ok(make_old(), "a store of layout 3");
    store = bed_open(dir, url, 5000);
    is_int(count_readable(store), OBJECTS, "is read");
    ok(is_whole(store), "and nothing is missed");
    bed_object(&newer, 5, FEB, "clear", "newer");
    is_int((int)bed_push(store, C1, &newer, NULL, NULL), STORE_ADDED, "a newer version");
    isg_buf_init(&out, ISG_BUF_NO_MAX);
    is_int(bed_read(store, C1, &newer, &out, &size), ISG_OK, "is read");
    ok(size == strlen(newer.canon), "from a pack");
    isg_buf_done(&out);
    is_int(count_readable(store), OBJECTS, "the older ones stay");
    ok(is_object(&objects[5]) == 1 && erase(store, 5), "both versions are deleted");
    ok(is_object(&objects[5]) == 0 && !packs_hold("newer"), "with their bytes, old and new");
    is_int(count_readable(store), OBJECTS - 1, "the others stay");
    store_close(&store);
}

int main(void)
{
    char dir[BED_TEXT];
    char url[BED_TEXT];
    struct address address;
    struct isg_fail why;
    bed_make(dir);
    pid_t pid = bed_redis(dir, url);
    ok(address_read(url, NULL, &address, &why) == ISG_OK, "address");
    const struct redis_options options = {.address = &address, .timeout_ms = 5000};
    client = redis_new(&options);
    check_old(dir, url);
    struct redis_pipe pipe;
    redis_pipe_init(&pipe);
    REDIS(&pipe, ISG_STR("FLUSHALL"));
    ok(redis_call(client, REDIS_WRITE, &pipe, &why) == ISG_OK, "an empty server");
    redis_pipe_done(&pipe);
    struct store *store = bed_open(dir, url, 5000);
    push_all(store);
    check_erasing(store);
    check_expiry(store);
    check_damage(store);
    store_close(&store);
    redis_free(&client);
    address_done(&address);
    bed_end(pid, SIGTERM);
    bed_remove(dir);
    return tap_done();
}
