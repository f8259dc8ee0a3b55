/*
 * An envelope, cut while it arrives. Its objects are kept as they came, each behind its length, and
 * nothing is done with them before the envelope has ended well: a broken one changes nothing.
 *
 * Of an envelope that is worked on at once, each object is scanned when its tree is made, and only
 * then. Until it is known that all of them are JSON, a refusal may be one of the whole: as soon as one
 * object is refused, they are scanned.
 */
#include "gateway/ingest/envelope.h"

#include <stdlib.h>

#include "gateway/ingest/run.h"
#include "stix/scan.h"

enum {
    REFUSED_MAX = 10000,   /* refusals that a status lists; an envelope with more is no envelope */
    UNREAD_BYTES = 4 << 20 /* a larger one is scanned as it comes: a broken one is told early */
};

struct ingest_envelope {
    struct stix_cutter *cutter;
    struct isg_buf objects; /* "LENGTH TEXT" one behind the other */
    size_t count;
    bool is_read;    /* all objects so far are JSON, and those to come will be */
    size_t *offsets; /* until then: where each stood in the body */
    size_t room;
};

/*
 * Scan what was not; what is wrong there is wrong with the whole (T-123). An object for which memory
 * ran out stands behind those that are counted.
 */
static int read_all(struct ingest_envelope *e, struct isg_fail *why)
{
    struct isg_str rest = isg_buf_str(&e->objects);
    struct isg_str object;
    int err = ISG_OK;
    if (e->is_read)
        return ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < e->count && ingest_envelope_next(&rest, &object); i++)
        err = stix_cutter_scan(e->cutter, object, i, e->offsets[i], why);
    if (err != ISG_OK)
        return err;
    e->is_read = true;
    stix_cutter_leave_unread(e->cutter, false);
    free(e->offsets);
    e->offsets = NULL;
    return ISG_OK;
}

static int note_offset(struct ingest_envelope *e)
{
    if (e->count == e->room) {
        size_t room = e->room == 0 ? RUN_BATCH : 2 * e->room;
        size_t *bigger = realloc(e->offsets, room * sizeof *bigger);
        if (bigger == NULL)
            return ISG_ENOMEM;
        e->offsets = bigger;
        e->room = room;
    }
    e->offsets[e->count] = stix_cutter_offset(e->cutter);
    return ISG_OK;
}

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct ingest_envelope *e = arg;
    (void)index;
    isg_buf_put_u64(&e->objects, text.n);
    isg_buf_putc(&e->objects, ' ');
    isg_buf_put_str(&e->objects, text);
    if (e->objects.err != ISG_OK || (!e->is_read && note_offset(e) != ISG_OK))
        return isg_fail(why, ISG_ENOMEM, "no memory for an upload");
    e->count++;
    return e->objects.len > UNREAD_BYTES || e->count > REFUSED_MAX ? read_all(e, why) : ISG_OK;
}

/* `more`, `next` and members nobody knows are read over (T-133); only a bundle is told apart. */
static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    (void)arg;
    if (isg_str_is(name, "type") && isg_str_is(value, "\"bundle\""))
        return isg_fail_at(why, ISG_EINVAL, "/type", "X-16",
                           "send an envelope, {\"objects\": [...]}, not a bundle");
    return ISG_OK;
}

struct ingest_envelope *ingest_envelope_new(void)
{
    struct ingest_envelope *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    isg_buf_init(&e->objects, ISG_BUF_NO_MAX);
    e->cutter = stix_cutter_new(NULL, on_object, on_member, e);
    if (e->cutter == NULL)
        ingest_envelope_free(&e);
    else
        stix_cutter_leave_unread(e->cutter, true);
    return e;
}

void ingest_envelope_free(struct ingest_envelope **envelope)
{
    struct ingest_envelope *e = *envelope;
    if (e == NULL)
        return;
    stix_cutter_free(&e->cutter);
    isg_buf_done(&e->objects);
    free(e->offsets);
    free(e);
    *envelope = NULL;
}

/* What is wrong with an object comes before what is wrong behind it. */
static int first_failure(struct ingest_envelope *e, int err, struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    int before = err == ISG_OK ? ISG_OK : read_all(e, &own);
    if (before != ISG_OK && why != NULL)
        *why = own;
    return before != ISG_OK ? before : err;
}

int ingest_envelope_feed(struct ingest_envelope *envelope, struct isg_str piece,
                         struct isg_fail *why)
{
    return first_failure(envelope, stix_cutter_feed(envelope->cutter, piece, why), why);
}

int ingest_envelope_end(struct ingest_envelope *envelope, struct isg_fail *why)
{
    int err = first_failure(envelope, stix_cutter_end(envelope->cutter, why), why);
    if (err == ISG_OK && envelope->count == 0)
        err = isg_fail_at(why, ISG_EINVAL, "/objects", "T-123", "the envelope holds no objects");
    return err;
}

int ingest_envelope_read(struct ingest_envelope *envelope, struct isg_fail *why)
{
    return read_all(envelope, why);
}

size_t ingest_envelope_count(const struct ingest_envelope *envelope)
{
    return envelope->count;
}

struct isg_str ingest_envelope_objects(const struct ingest_envelope *envelope)
{
    return isg_buf_str(&envelope->objects);
}

bool ingest_envelope_next(struct isg_str *rest, struct isg_str *out)
{
    struct isg_str length;
    uint64_t n = 0;
    if (!isg_str_split(rest, ' ', &length) || !isg_str_to_u64(length, rest->n, &n))
        return false;
    *out = (struct isg_str){rest->p, (size_t)n};
    *rest = isg_str_from(*rest, (size_t)n);
    return true;
}

/* Forget everything of a body that is refused whole. */
static void discard(struct ingest_run *run)
{
    for (size_t i = 0; i < run->staged_count; i++)
        run_staged_done(&run->staged[i]);
    run->staged_count = 0;
    run->staged_bytes = 0;
    run->list_count = 0;
    run->counts = (struct ingest_counts){.total = 0};
}

int ingest_envelope_bound(size_t refused, struct isg_fail *why)
{
    /* Each refusal is told in the status: a body of `{}` must not grow a hundredfold (T-147). */
    if (refused <= REFUSED_MAX)
        return ISG_OK;
    return isg_fail_at(why, ISG_ELIMIT, "/objects", "T-123",
                       "more than %d objects break a rule; nothing was stored", REFUSED_MAX);
}

/* An object that was refused may be no JSON: then there is no envelope. */
static int add(struct ingest_run *run, struct ingest_envelope *envelope, struct isg_str object,
               struct isg_fail *why)
{
    size_t refused = run->counts.refused;
    int err = ingest_add(run, object, NULL, why);
    if (err == ISG_OK && run->counts.refused > refused)
        err = read_all(envelope, why);
    return err == ISG_OK ? ingest_envelope_bound(run->counts.refused, why) : err;
}

int ingest_envelope_run(struct ingest_run *run, struct ingest_envelope *envelope,
                        struct isg_fail *why)
{
    struct isg_str rest = ingest_envelope_objects(envelope);
    struct isg_str object;
    int err = ISG_OK;
    run->hold = true;
    while (err == ISG_OK && ingest_envelope_next(&rest, &object))
        err = add(run, envelope, object, why);
    if (err != ISG_OK) {
        discard(run);
        run->err = err;
        return err;
    }
    return ingest_finish(run, why);
}

int ingest_envelope(struct ingest_run *run, struct isg_str body, struct isg_fail *why)
{
    struct ingest_envelope *envelope = ingest_envelope_new();
    int err = envelope == NULL ? isg_fail(why, ISG_ENOMEM, "no memory for an envelope") : ISG_OK;
    if (err == ISG_OK)
        err = ingest_envelope_feed(envelope, body, why);
    if (err == ISG_OK)
        err = ingest_envelope_end(envelope, why);
    if (err == ISG_OK)
        err = ingest_envelope_run(run, envelope, why);
    else
        run->err = err;
    ingest_envelope_free(&envelope);
    return err;
}
