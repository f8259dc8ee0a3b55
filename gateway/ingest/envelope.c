/*
 * An envelope, cut while it arrives. Its objects are kept as they came, each behind its length, and
 * nothing is done with them before the envelope has ended well: a broken one changes nothing.
 */
#include "gateway/ingest/envelope.h"

#include <stdlib.h>

#include "gateway/ingest/run.h"
#include "stix/scan.h"

enum {
    REFUSED_MAX = 10000 /* refusals that a status lists; an envelope with more is no envelope */
};

struct ingest_envelope {
    struct stix_cutter *cutter;
    struct isg_buf objects; /* "LENGTH TEXT" one behind the other */
    size_t count;
};

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct ingest_envelope *e = arg;
    (void)index;
    isg_buf_put_u64(&e->objects, text.n);
    isg_buf_putc(&e->objects, ' ');
    isg_buf_put_str(&e->objects, text);
    e->count++;
    return e->objects.err == ISG_OK ? ISG_OK : isg_fail(why, ISG_ENOMEM, "no memory for an upload");
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
    return e;
}

void ingest_envelope_free(struct ingest_envelope **envelope)
{
    struct ingest_envelope *e = *envelope;
    if (e == NULL)
        return;
    stix_cutter_free(&e->cutter);
    isg_buf_done(&e->objects);
    free(e);
    *envelope = NULL;
}

int ingest_envelope_feed(struct ingest_envelope *envelope, struct isg_str piece,
                         struct isg_fail *why)
{
    return stix_cutter_feed(envelope->cutter, piece, why);
}

int ingest_envelope_end(struct ingest_envelope *envelope, struct isg_fail *why)
{
    int err = stix_cutter_end(envelope->cutter, why);
    if (err == ISG_OK && envelope->count == 0)
        err = isg_fail_at(why, ISG_EINVAL, "/objects", "T-123", "the envelope holds no objects");
    return err;
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

int ingest_envelope_run(struct ingest_run *run, const struct ingest_envelope *envelope,
                        struct isg_fail *why)
{
    struct isg_str rest = ingest_envelope_objects(envelope);
    struct isg_str object;
    int err = ISG_OK;
    run->hold = true;
    while (err == ISG_OK && ingest_envelope_next(&rest, &object)) {
        err = ingest_add(run, object, NULL, why);
        if (err == ISG_OK)
            err = ingest_envelope_bound(run->counts.refused, why);
    }
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
