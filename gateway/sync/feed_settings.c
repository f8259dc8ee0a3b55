/* What a feed's settings say of its mapping, and whether that is what the kept state was made by. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "feeds/ioc.h"
#include "gateway/sync/feed_files.h"
#include "gateway/sync/feed_run.h"
#include "stix/base/digest.h"
#include "stix/base/jsonw.h"

enum { SETTINGS_MAX = 64 << 20 };

/* A file of the settings: below the instance's folder, unless the setting says where. */
static int file_below(const char *dir, const char *path, char out[PATH_MAX], struct isg_fail *why)
{
    int n = snprintf(out, PATH_MAX, "%s%s%s", path[0] == '/' ? "" : dir, path[0] == '/' ? "" : "/",
                     path);
    return n < PATH_MAX ? ISG_OK : isg_fail(why, ISG_EIO, "%.100s...: the name is too long", path);
}

static int columns_open(struct feed_run *run, struct isg_sha256 *read, struct isg_fail *why)
{
    char path[PATH_MAX];
    if (run->def->columns == NULL)
        return ISG_OK;
    int err = file_below(run->parts->config->dir, run->def->columns, path, why);
    return err == ISG_OK ? feed_columns_read(path, run->arena, read, &run->context.profile, why)
                         : err;
}

/* Names that no source may call bad: the source's own, and this gateway's (feeds digest 3.4). */
static int own_hosts_open(struct feed_run *run, struct isg_sha256 *read, struct isg_fail *why)
{
    const char *const urls[] = {run->def->url, run->parts->config->public_url};
    struct isg_buf list;
    struct isg_jsonw w;
    run->context.exclude = run->exclude = exclude_new(false);
    if (run->exclude == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    isg_buf_init(&list, SETTINGS_MAX);
    isg_jsonw_init(&w, &list);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "name", "own-hosts");
    isg_jsonw_put(&w, "type", "string");
    isg_jsonw_name(&w, "list");
    isg_jsonw_list(&w);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct ioc url;
        if (urls[i] != NULL &&
            ioc_read(run->arena, isg_str_of(urls[i]), IOC_URL, IOC_MACHINE, &url, NULL) == ISG_OK)
            isg_jsonw_str(&w, url.host);
    }
    isg_jsonw_end(&w);
    isg_jsonw_end(&w);
    isg_sha256_add(read, list.p, list.len);
    int err = exclude_add(run->exclude, isg_buf_str(&list), EXCLUDE_DROP, why);
    isg_buf_done(&list);
    return err;
}

static int lists_open(struct feed_run *run, struct isg_sha256 *read, struct isg_fail *why)
{
    char path[PATH_MAX];
    if (run->def->warning_lists == NULL)
        return ISG_OK;
    int err = file_below(run->parts->config->dir, run->def->warning_lists, path, why);
    return err == ISG_OK ? feed_lists_read(run->exclude, path, read, why) : err;
}

static int networks_open(struct feed_run *run, struct isg_sha256 *read, struct isg_fail *why)
{
    const char **networks = NULL;
    const char *list = run->def->networks;
    if (list == NULL)
        return ISG_OK;
    isg_sha256_add(read, list, strlen(list) + 1);
    int err = feed_networks_read(list, run->arena, &networks, why);
    run->context.internal = networks;
    return err;
}

static int aliases_open(struct feed_run *run, struct isg_sha256 *read, struct isg_fail *why)
{
    const char *path = run->parts->config->vendor_aliases;
    return path == NULL || !run->source->names_vendors
               ? ISG_OK
               : feed_aliases_read(path, run->arena, read, &run->context.aliases, why);
}

static void bind_state(struct feed_run *run, struct isg_sha256 *read)
{
    struct state *state = &run->state;
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[sizeof state->source];
    isg_sha256_end(read, digest);
    isg_hex_encode(digest, (sizeof hex - 1) / 2, hex);
    run->same_source =
        strcmp(state->source, hex) == 0 && state->converter == FEED_CONVERTER_VERSION;
    if (run->same_source)
        return;
    state->etag[0] = '\0';
    state->last_modified[0] = '\0';
    memcpy(state->source, hex, sizeof hex);
}

int feed_settings_open(struct feed_run *run, struct isg_fail *why)
{
    static int (*const open[])(struct feed_run *, struct isg_sha256 *, struct isg_fail *) = {
        columns_open, own_hosts_open, lists_open, networks_open, aliases_open};
    const struct config *config = run->parts->config;
    const char *const texts[] = {run->def->url, run->def->format, run->def->collection,
                                 config->id_urn, config->name};
    struct isg_sha256 read;
    isg_sha256_init(&read);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        isg_sha256_add(&read, texts[i], strlen(texts[i]) + 1);
    run->arena = isg_arena_new(SETTINGS_MAX);
    int err = run->arena == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        isg_sha256_add(&read, &i, sizeof i);
        err = err == ISG_OK ? open[i](run, &read, why) : err;
    }
    if (err == ISG_OK)
        bind_state(run, &read);
    return err;
}
