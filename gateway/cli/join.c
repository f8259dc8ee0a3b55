#include "gateway/cli/join.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/log.h"
#include "stix/base/time.h"

enum {
    SEED_LEASE_MS = 30000,
    SEED_WAIT_US = 60000000 /* longer than the lease of a gateway that was killed meanwhile */
};

static const char seed_lease[] = "seed";

/* The first collections of a new instance, where the store holds none yet. */
static int plant(const struct joining *joining, const char *path, struct isg_fail *why)
{
    struct isg_buf text;
    struct isg_buf document;
    struct stix_json *seed = NULL;
    const struct registry *registry = directory_get(joining->directory);
    bool empty = registry->collections_count == 0;
    registry_unref(&registry);
    isg_buf_init(&text, 1 << 20);
    isg_buf_init(&document, 1 << 20);
    int err = cli_read(path, 1 << 20, &text, why);
    if (err == ISG_OK && empty) {
        struct isg_fail inner = {.code = ISG_OK};
        err = stix_json_parse(isg_buf_str(&text), NULL, &seed, &inner);
        if (err != ISG_OK)
            (void)isg_fail_at(why, err, inner.path, inner.rule, "%.160s: %s", path, inner.text);
    }
    for (size_t i = 0; i < stix_json_size(seed) && err == ISG_OK; i++) {
        struct isg_buf reply;
        isg_buf_init(&reply, 1 << 20);
        isg_buf_reset(&document);
        stix_json_canon(stix_json_at(seed, i), &document);
        err =
            directory_put_collection(joining->directory, isg_buf_str(&document), true, &reply, why);
        isg_buf_done(&reply);
    }
    if (err == ISG_OK)
        (void)unlink(path);
    stix_json_free(&seed);
    isg_buf_done(&document);
    isg_buf_done(&text);
    return err;
}

static int wait_for_lease(const struct joining *joining, struct isg_fail *why)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    int64_t end_us = isg_time_mono_us() + SEED_WAIT_US;
    for (;;) {
        bool held = false;
        int err = store_lease(joining->store, seed_lease, SEED_LEASE_MS, &held, why);
        if (err != ISG_OK || held)
            return err;
        if (isg_time_mono_us() >= end_us)
            return isg_fail(why, ISG_EBUSY, "another gateway makes the first collections");
        (void)nanosleep(&pause, NULL);
    }
}

int join_plant_seed(const struct joining *joining, struct isg_fail *why)
{
    char path[PATH_MAX];
    bool ignored;
    (void)snprintf(path, sizeof path, "%s/state/seed.json", joining->config->dir);
    if (access(path, F_OK) != 0)
        return ISG_OK;
    int err = wait_for_lease(joining, why);
    if (err == ISG_OK)
        err = directory_refresh(joining->directory, why); /* another one may have made them */
    if (err == ISG_OK)
        err = plant(joining, path, why);
    (void)store_lease(joining->store, seed_lease, 1, &ignored, NULL);
    return err;
}

/* The secret itself stays here: a keyed digest tells as much. */
static void fingerprint(const struct trust_secret *secret, char out[2 * TRUST_MAC_BYTES + 1])
{
    uint8_t mac[TRUST_MAC_BYTES];
    trust_mac(secret, "fingerprint", ISG_STR("instance.secret"), mac);
    isg_hex_encode(mac, sizeof mac, out);
    out[sizeof mac * 2] = '\0';
}

int join_agree(const struct joining *joining, const char **out_differs, struct isg_fail *why)
{
    char secret[2 * TRUST_MAC_BYTES + 1];
    const struct {
        struct isg_str name;
        const char *value;
        const char *told;
    } rows[] = {{ISG_STR("secret"), secret, "secrets/instance.secret"},
                {ISG_STR("id_urn"), joining->config->id_urn, "id_urn"}};
    fingerprint(joining->secret, secret);
    *out_differs = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool same = true;
        int err = rows[i].value == NULL ? ISG_OK
                                        : store_agree(joining->store, rows[i].name,
                                                      isg_str_of(rows[i].value), &same, why);
        if (err != ISG_OK)
            return err;
        if (same)
            continue;
        *out_differs = rows[i].told;
        LOG(LOG_ERROR, "service.differs", log_cstr("what", rows[i].told),
            log_cstr("hint", "all gateways on one store need the same: copy it from the first"));
    }
    return ISG_OK;
}
