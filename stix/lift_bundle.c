/*
 * A whole bundle as text, each resulting object once (S-133).
 */
#include <stdlib.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/lift_private.h"

/* Digests of the texts written so far: an open hash table that is never more than half full. */
struct seen {
    uint8_t (*slots)[ISG_SHA256_BYTES];
    size_t size; /* a power of two */
    size_t n;
};

static bool is_free(const uint8_t slot[ISG_SHA256_BYTES])
{
    static const uint8_t zero[ISG_SHA256_BYTES];
    return memcmp(slot, zero, ISG_SHA256_BYTES) == 0;
}

/* The slot that holds a digest, or the free one where it goes. */
static uint8_t *slot_of(const struct seen *seen, const uint8_t digest[ISG_SHA256_BYTES])
{
    size_t i;
    memcpy(&i, digest, sizeof i);
    for (i &= seen->size - 1; !is_free(seen->slots[i]); i = (i + 1) & (seen->size - 1))
        if (memcmp(seen->slots[i], digest, ISG_SHA256_BYTES) == 0)
            break;
    return seen->slots[i];
}

static bool grow(struct seen *seen)
{
    struct seen larger = {.size = seen->size > 0 ? seen->size * 2 : 64, .n = seen->n};
    larger.slots = calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL)
        return false;
    for (size_t i = 0; i < seen->size; i++)
        if (!is_free(seen->slots[i]))
            memcpy(slot_of(&larger, seen->slots[i]), seen->slots[i], ISG_SHA256_BYTES);
    free(seen->slots);
    *seen = larger;
    return true;
}

struct writing {
    struct isg_jsonw w;
    struct seen seen;
};

static int write_lifted(void *arg, const struct stix_lifted *lifted, struct isg_fail *why)
{
    struct writing *writing = arg;
    uint8_t digest[ISG_SHA256_BYTES];
    isg_sha256(lifted->text, digest);
    if (writing->seen.n * 2 >= writing->seen.size && !grow(&writing->seen))
        return isg_fail(why, ISG_ENOMEM, "no memory for the bundle");
    uint8_t *slot = slot_of(&writing->seen, digest);
    if (!is_free(slot))
        return ISG_OK;
    memcpy(slot, digest, sizeof digest);
    writing->seen.n++;
    isg_jsonw_raw(&writing->w, lifted->text);
    return writing->w.out->err != ISG_OK
               ? isg_fail(why, writing->w.out->err, "no room for the bundle")
               : ISG_OK;
}

static void write_member(struct isg_jsonw *w, const char *name, const struct stix_json *value)
{
    isg_jsonw_name(w, name);
    isg_jsonw_raw(w, ISG_STR(""));
    stix_json_canon(value, w->out);
}

static int write_bundle(struct writing *writing, const struct stix_json *bundle,
                        struct isg_fail *why)
{
    struct stix_json_walk walk;
    int err = ISG_OK;
    isg_jsonw_object(&writing->w);
    stix_json_walk(bundle, &walk);
    while (err == ISG_OK && stix_json_next(&walk)) {
        if (strcmp(walk.name, "spec_version") == 0)
            continue;
        if (strcmp(walk.name, "objects") != 0) {
            write_member(&writing->w, walk.name, walk.value);
            continue;
        }
        isg_jsonw_name(&writing->w, walk.name);
        isg_jsonw_list(&writing->w);
        err = stix_lift(bundle, write_lifted, writing, why);
        isg_jsonw_end(&writing->w);
    }
    isg_jsonw_end(&writing->w);
    return err;
}

int stix_lift_bundle(const struct stix_json *bundle, struct isg_buf *out, struct isg_fail *why)
{
    struct writing writing = {0};
    size_t before = out->len;
    if (!isg_str_is(stix_json_get_str(bundle, "type"), "bundle"))
        return isg_fail_at(why, ISG_EINVAL, "/type", "S-086", "not a bundle");
    isg_jsonw_init(&writing.w, out);
    int err = write_bundle(&writing, bundle, why);
    if (err == ISG_OK && out->err != ISG_OK)
        err = isg_fail(why, out->err, "no room for the bundle");
    if (err != ISG_OK && out->err == ISG_OK)
        out->len = before;
    free(writing.seen.slots);
    return err;
}
