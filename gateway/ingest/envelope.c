#include <string.h>

#include "gateway/ingest/run.h"
#include "stix/scan.h"

enum {
    REFUSED_MAX = 10000
}; /* refusals that a status lists; an envelope with more is no envelope */

struct envelope {
    struct ingest_run *run;
    bool is_bundle;
    size_t objects;
};

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    struct envelope *envelope = arg;
    (void)index;
    envelope->objects++;
    int err = ingest_add(envelope->run, text, NULL, why);
    /* Each refusal is told in the status: a body of `{}` must not grow a hundredfold (T-147). */
    if (err == ISG_OK && envelope->run->counts.refused > REFUSED_MAX)
        err = isg_fail_at(why, ISG_ELIMIT, "/objects", "T-123",
                          "more than %d objects break a rule; nothing was stored", REFUSED_MAX);
    return err;
}

/* `more`, `next` and members nobody knows are read over (T-133); only a bundle is told apart. */
static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    struct envelope *envelope = arg;
    (void)why;
    if (isg_str_is(name, "type") && isg_str_is(value, "\"bundle\""))
        envelope->is_bundle = true;
    return ISG_OK;
}

/* Forget everything of a body that is refused whole. */
static void discard(struct ingest_run *run)
{
    for (size_t i = 0; i < run->staged_count; i++)
        run_staged_done(&run->staged[i]);
    run->staged_count = 0;
    run->staged_bytes = 0;
    run->list_count = 0;
    run->counts = (struct ingest_counts){0, 0, 0, 0};
}

static int judge(const struct envelope *envelope, struct isg_fail *why)
{
    if (envelope->is_bundle)
        return isg_fail_at(why, ISG_EINVAL, "/type", "X-16",
                           "send an envelope, {\"objects\": [...]}, not a bundle");
    if (envelope->objects == 0)
        return isg_fail_at(why, ISG_EINVAL, "/objects", "T-123", "an envelope without objects");
    return ISG_OK;
}

int ingest_envelope(struct ingest_run *run, struct isg_str body, struct isg_fail *why)
{
    struct envelope envelope = {run, false, 0};
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, on_member, &envelope);
    if (cutter == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory for an envelope");
    run->hold = true;
    int err = stix_cutter_feed(cutter, body, why);
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, why);
    if (err == ISG_OK)
        err = judge(&envelope, why);
    stix_cutter_free(&cutter);
    if (err != ISG_OK) {
        discard(run);
        run->err = err;
        return err;
    }
    return ingest_finish(run, why);
}
