/*
 * Packs: the bytes of events that are added together lie in one value, since a key costs the server
 * more than the bytes of an object. Erasing writes NULs over an event's bytes; a pack in which nothing
 * is left goes as a whole.
 */
#include <string.h>

#include "gateway/store/names.h"
#include "gateway/store/txn_private.h"

/*
 * A pack ends at this count or this size, whichever comes first. Small enough that what erased
 * neighbours leave behind is little, large enough that its key costs nothing.
 */
enum { PACK_EVENTS = 64, PACK_BYTES = 64 * 1024 };

/* A pack that loses events. */
struct txn_loss {
    uint64_t pack;
    uint64_t size;
    uint64_t gone; /* bytes: before this change, and then with it */
};

/* ---- adding --------------------------------------------------------------------------------- */

void txn_shelve(struct txn *t, struct event_record *record, size_t bytes)
{
    if (t->shelf.pack == 0 || t->shelf_count == PACK_EVENTS ||
        t->shelf.offset + bytes > PACK_BYTES) {
        t->shelf = (struct store_shelf){.pack = record->position};
        t->shelf_count = 0;
    }
    record->shelf = t->shelf;
    record->shelf.bytes = (uint32_t)bytes;
    t->shelf.offset += (uint32_t)bytes;
    t->shelf_count++;
}

/* Each pack begins with the event whose position is its name. */
static bool begins_pack(const struct relative *event)
{
    return event->record.position == event->record.shelf.pack;
}

size_t txn_packs(const struct txn *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->added_count; i++)
        n += begins_pack(t->added[i]);
    return n;
}

void txn_put_packs(struct txn *t, struct redis_pipe *pipe)
{
    struct isg_str parts[PACK_EVENTS];
    struct names_key key;
    for (size_t i = 0; i < t->added_count;) {
        uint64_t pack = t->added[i]->record.shelf.pack;
        size_t n = 0;
        for (; i < t->added_count && t->added[i]->record.shelf.pack == pack; i++)
            parts[n++] = t->added[i]->canon;
        redis_arg(pipe, names_pack(&key, t->journal->collection, pack));
        redis_arg_parts(pipe, parts, n);
    }
}

/* ---- erasing -------------------------------------------------------------------------------- */

/* What happens to each erased event's bytes. */
typedef void gone_event(struct txn *t, const struct family *family, const struct relative *event,
                        void *arg);

static void each_gone(struct txn *t, gone_event *visit, void *arg)
{
    for (size_t i = 0; i < t->families_count; i++) {
        const struct family *family = &t->families[i];
        for (size_t k = 0; k < family->count; k++)
            if (family->events[k]->is_gone)
                visit(t, family, family->events[k], arg);
    }
}

static void count_one(struct txn *t, const struct family *family, const struct relative *event,
                      void *arg)
{
    size_t *n = arg;
    (void)t;
    (void)family;
    *n += event->record.shelf.pack > 0;
}

static struct txn_loss *find_loss(const struct txn *t, uint64_t pack)
{
    for (size_t i = t->losses_count; i-- > 0;)
        if (t->losses[i].pack == pack)
            return &t->losses[i];
    return NULL;
}

static void note_pack(struct txn *t, const struct family *family, const struct relative *event,
                      void *arg)
{
    uint64_t pack = event->record.shelf.pack;
    (void)family;
    (void)arg;
    if (pack > 0 && find_loss(t, pack) == NULL)
        t->losses[t->losses_count++] = (struct txn_loss){.pack = pack};
}

static void add_bytes(struct txn *t, const struct family *family, const struct relative *event,
                      void *arg)
{
    struct txn_loss *loss = find_loss(t, event->record.shelf.pack);
    (void)family;
    (void)arg;
    if (loss != NULL)
        loss->gone += event->record.shelf.bytes;
}

static int read_loss(const struct redis_pipe *pipe, size_t i, struct txn_loss *loss,
                     struct isg_fail *why)
{
    const struct redis_reply *size = redis_nth(pipe, 2 * i);
    const struct redis_reply *gone = redis_nth(pipe, 2 * i + 1);
    int err = redis_expect(size, REDIS_INT, why);
    if (err == ISG_OK && !redis_is_nil(gone))
        err = redis_expect(gone, REDIS_TEXT, why);
    loss->size = (uint64_t)redis_number(size);
    if (!isg_str_to_u64(redis_text(gone), UINT32_MAX, &loss->gone))
        loss->gone = 0;
    return err;
}

int txn_read_losses(struct txn *t, int64_t deadline_us, struct isg_fail *why)
{
    struct redis_pipe pipe;
    struct names_key key;
    struct names_key field;
    size_t n = 0;
    each_gone(t, count_one, &n);
    if (n == 0)
        return ISG_OK;
    t->losses = isg_arena_alloc(t->arena, n * sizeof *t->losses);
    if (t->losses == NULL)
        return isg_fail(why, ISG_ENOMEM, "out of memory");
    each_gone(t, note_pack, NULL);
    redis_pipe_init(&pipe);
    for (size_t i = 0; i < t->losses_count; i++) {
        REDIS(&pipe, ISG_STR("STRLEN"),
              names_pack(&key, t->journal->collection, t->losses[i].pack));
        REDIS(&pipe, ISG_STR("HGET"), names_erased(&key, t->journal->collection),
              names_number(&field, t->losses[i].pack));
    }
    int err = conn_run(t->conn, &pipe, deadline_us, why);
    for (size_t i = 0; i < t->losses_count && err == ISG_OK; i++)
        err = read_loss(&pipe, i, &t->losses[i], why);
    redis_pipe_done(&pipe);
    each_gone(t, add_bytes, NULL);
    return err;
}

static bool is_emptied(const struct txn_loss *loss)
{
    return loss->gone >= loss->size;
}

struct blanks {
    struct redis_pipe *pipe;
    struct isg_buf nuls;
};

/* Its own bytes only; of layout 3, unless another event of that id still has the same (T-127). */
static void blank(struct txn *t, const struct family *family, const struct relative *event,
                  void *arg)
{
    struct blanks *blanks = arg;
    const struct store_shelf *shelf = &event->record.shelf;
    struct names_key key;
    struct names_key from;
    if (shelf->pack == 0) {
        if (!family_holds_digest(family, event->record.digest))
            REDIS(blanks->pipe, ISG_STR("DEL"),
                  names_object(&key, t->journal->collection, event->record.digest));
        return;
    }
    const struct txn_loss *loss = find_loss(t, shelf->pack);
    if (loss == NULL || is_emptied(loss))
        return;
    while (blanks->nuls.len < shelf->bytes && blanks->nuls.err == ISG_OK)
        isg_buf_putc(&blanks->nuls, '\0');
    REDIS(blanks->pipe, ISG_STR("SETRANGE"), names_pack(&key, t->journal->collection, shelf->pack),
          names_number(&from, shelf->offset),
          (struct isg_str){blanks->nuls.p, blanks->nuls.err == ISG_OK ? shelf->bytes : 0});
}

int txn_put_losses(struct txn *t, struct redis_pipe *pipe)
{
    const char *collection = t->journal->collection;
    struct blanks blanks = {.pipe = pipe};
    struct names_key key;
    struct names_key field;
    struct names_key value;
    isg_buf_init(&blanks.nuls, ISG_BUF_NO_MAX);
    each_gone(t, blank, &blanks);
    int err = blanks.nuls.err;
    isg_buf_done(&blanks.nuls);
    for (size_t i = 0; i < t->losses_count; i++) {
        const struct txn_loss *loss = &t->losses[i];
        struct isg_str pack = names_number(&field, loss->pack);
        if (is_emptied(loss)) {
            REDIS(pipe, ISG_STR("DEL"), names_pack(&key, collection, loss->pack));
            REDIS(pipe, ISG_STR("HDEL"), names_erased(&key, collection), pack);
        } else {
            REDIS(pipe, ISG_STR("HSET"), names_erased(&key, collection), pack,
                  names_number(&value, loss->gone));
        }
    }
    return err;
}
