/*
 * Fill a collection of a running Redis through store_commit, for measuring how reads grow.
 *
 *     load_store URL COLLECTION COUNT [FIRST]
 *
 * Indicators of about 800 bytes, in batches of 1,000. One in a thousand is TLP:GREEN, the others are
 * RED from "loader", so that any member sees one in a thousand and the member "loader" sees all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/store.h"

enum { BATCH = 1000, SPARSE = 1000 };

static bool sees_all(void *arg, struct isg_str label)
{
    (void)arg, (void)label;
    return true;
}

struct object {
    char id[64];
    struct isg_buf canon;
    uint8_t digest[ISG_SHA256_BYTES];
};

static const char VERSION[] = "2026-01-05T08:00:00.000Z";
static const char TLP[] = "marking-definition--";

static void fill(struct object *o, uint64_t n)
{
    bool green = n % SPARSE == 0;
    (void)snprintf(o->id, sizeof o->id, "indicator--%08" PRIx64 "-0000-4000-8000-%012" PRIx64,
                   n & UINT32_MAX, n);
    isg_buf_reset(&o->canon);
    isg_buf_printf(&o->canon, "{\"created\":\"%s\",\"description\":\"", VERSION);
    for (unsigned i = 0; i < 8; i++)
        isg_buf_printf(&o->canon, "an invented address that pumps of ward %02u talk to. ", i);
    isg_buf_printf(&o->canon,
                   "\",\"id\":\"%s\",\"indicator_types\":[\"malicious-activity\"],\"modified\":"
                   "\"%s\",\"name\":\"beacon %" PRIu64 "\",\"object_marking_refs\":[\"%s%s\"],"
                   "\"pattern\":\"[ipv4-addr:value = '198.51.100.%u']\",\"pattern_type\":\"stix\","
                   "\"spec_version\":\"2.1\",\"type\":\"indicator\",\"valid_from\":\"%s\"}",
                   o->id, VERSION, n, TLP,
                   green ? "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
                         : "e828b379-4e03-4974-9ac4-e53a884c97c1",
                   (unsigned)(n % 255), VERSION);
    isg_sha256(isg_buf_str(&o->canon), o->digest);
}

static bool load(struct store *store, const char *collection, uint64_t first, uint64_t count)
{
    static struct object objects[BATCH];
    static struct store_put puts[BATCH];
    struct isg_fail why = {0};
    for (size_t i = 0; i < BATCH; i++)
        isg_buf_init(&objects[i].canon, ISG_BUF_NO_MAX);
    for (uint64_t done = 0; done < count;) {
        size_t n = count - done < BATCH ? (size_t)(count - done) : BATCH;
        for (size_t i = 0; i < n; i++) {
            uint64_t number = first + done + i;
            fill(&objects[i], number);
            puts[i] =
                (struct store_put){.id = isg_str_of(objects[i].id),
                                   .version = ISG_STR("2026-01-05T08:00:00.000Z"),
                                   .versioned = true,
                                   .label = number % SPARSE == 0 ? ISG_STR("tlp=green;src=loader")
                                                                 : ISG_STR("tlp=red;src=loader"),
                                   .source = ISG_STR("loader"),
                                   .canon = isg_buf_str(&objects[i].canon),
                                   .digest = objects[i].digest};
        }
        if (store_commit(store, collection, puts, n, &(struct store_eyes){.can_see = sees_all},
                         &why) != ISG_OK) {
            (void)fprintf(stderr, "load_store: %s\n", why.text);
            return false;
        }
        done += n;
    }
    for (size_t i = 0; i < BATCH; i++)
        isg_buf_done(&objects[i].canon);
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = 0;
    uint64_t first = 0;
    struct store *store = NULL;
    struct isg_fail why = {0};
    if (argc < 4 || !isg_str_to_u64(isg_str_of(argv[3]), UINT64_MAX, &count) ||
        (argc > 4 && !isg_str_to_u64(isg_str_of(argv[4]), UINT64_MAX, &first))) {
        (void)fprintf(stderr, "usage: load_store URL COLLECTION COUNT [FIRST]\n");
        return 64;
    }
    const struct store_options options = {.url = argv[1], .timeout_ms = 60000};
    if (store_open(&options, &store, &why) != ISG_OK) {
        (void)fprintf(stderr, "load_store: %s\n", why.text);
        return 69;
    }
    bool good = load(store, argv[2], first, count);
    store_close(&store);
    return good ? 0 : 69;
}
