#define _XOPEN_SOURCE 700 /* nftw */
#include "bed.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stix/json.h"
#include "tests/support/tap.h"

static void must(int err, const struct isg_fail *why, const char *what)
{
    if (err == ISG_OK)
        return;
    printf("Bail out! %s: %s %s\n", what, why->path, why->text);
    exit(1);
}

static void put_collection(struct bed *bed, const char *json)
{
    struct isg_fail why;
    must(directory_put_collection(bed->directory, isg_str_of(json), true, NULL, &why), &why, json);
}

void bed_open(struct bed *bed)
{
    char path[96];
    struct isg_fail why;
    memset(bed, 0, sizeof *bed);
    if (access("/usr/bin/redis-server", X_OK) != 0)
        tap_skip_all("no redis-server");
    (void)snprintf(bed->dir, sizeof bed->dir, "/tmp/isg-sync-XXXXXX");
    if (mkdtemp(bed->dir) == NULL)
        tap_skip_all("no temporary folder");
    (void)snprintf(bed->www, sizeof bed->www, "%s/www", bed->dir);
    (void)mkdir(bed->www, 0700);
    (void)snprintf(path, sizeof path, "%s/csaf", bed->www);
    (void)mkdir(path, 0700);
    (void)setenv("ISG_WWW", bed->www, 1);
    (void)snprintf(path, sizeof path, "%s/secret", bed->dir);
    struct store_options options = {.dir = bed->dir};
    must(store_open(&options, &bed->store, &why), &why, "store");
    must(trust_secret_open(path, &bed->secret, &why), &why, "secret");
    must(directory_open(bed->store, NULL, bed->secret, &bed->directory, &why), &why, "directory");
    put_collection(bed,
                   "{\"title\":\"main\",\"alias\":\"main\",\"read\":\"all\",\"write\":\"all\"}");
    put_collection(bed,
                   "{\"title\":\"peers\",\"alias\":\"peers\",\"read\":\"all\",\"write\":\"all\"}");
    bed->workers = worker_pool_new("test", 2, 64);
    bed->config.dir = bed->dir;
    bed->config.name = strdup("Example ISAO");
    bed->config.id_urn = strdup("urn:example:isao-gateway:stix-id:v1");
}

void bed_sync(struct bed *bed, bool on)
{
    struct isg_fail why;
    const struct sync_parts parts = {.config = &bed->config,
                                     .store = bed->store,
                                     .directory = bed->directory,
                                     .workers = bed->workers};
    if (on)
        must(sync_start(&parts, &bed->sync, &why), &why, "sync");
    else
        sync_stop(&bed->sync);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void bed_close(struct bed *bed)
{
    sync_stop(&bed->sync);
    worker_pool_free(&bed->workers);
    directory_close(&bed->directory);
    trust_secret_free(&bed->secret);
    store_close(&bed->store);
    free(bed->config.name);
    free(bed->config.id_urn);
    (void)nftw(bed->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void bed_file(const struct bed *bed, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", bed->www, name);
    if (text == NULL) {
        (void)unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        printf("Bail out! %s cannot be written\n", path);
}

long long bed_number(const struct isg_buf *json, const char *name)
{
    struct stix_json *tree = NULL;
    int64_t n = -1;
    if (stix_json_parse(isg_buf_str(json), NULL, &tree, NULL) == ISG_OK)
        (void)stix_json_int(stix_json_get(tree, name), &n);
    stix_json_free(&tree);
    return n;
}
