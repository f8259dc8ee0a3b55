/* A feed's file as a STIX bundle on standard output, without a service. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/cli.h"
#include "gateway/cli/feed_file.h"
#include "stix/base/digest.h"
#include "stix/base/uuid.h"
#include "stix/bundle.h"
#include "stix/json.h"

struct convert {
    struct stix_bundle_writer writer;
    struct isg_buf out;
    struct isg_str *ids; /* seen; open addressing, a power of two */
    size_t cap;
    size_t n;
    struct feed_left left;
};

static size_t hash_of(struct isg_str s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 32);
}

static struct isg_str *id_slot(struct isg_str *ids, size_t cap, struct isg_str id)
{
    size_t at = hash_of(id) & (cap - 1);
    while (ids[at].p != NULL && !isg_str_eq(ids[at], id))
        at = (at + 1) & (cap - 1);
    return &ids[at];
}

static int ids_grow(struct convert *convert)
{
    if (convert->n * 2 < convert->cap)
        return ISG_OK;
    size_t cap = convert->cap == 0 ? 1024 : convert->cap * 2;
    struct isg_str *ids = calloc(cap, sizeof *ids);
    if (ids == NULL)
        return ISG_ENOMEM;
    for (size_t i = 0; i < convert->cap; i++)
        if (convert->ids[i].p != NULL)
            *id_slot(ids, cap, convert->ids[i]) = convert->ids[i];
    free(convert->ids);
    convert->ids = ids;
    convert->cap = cap;
    return ISG_OK;
}

/* Records that map to one object (a vendor's identity, say) stand in the bundle once. */
static int emit_bundle(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct convert *convert = arg;
    struct stix_json *json = NULL;
    (void)facet;
    int err = stix_json_parse(object, NULL, &json, why);
    if (err == ISG_OK)
        err = ids_grow(convert);
    struct isg_str id = stix_json_get_str(json, "id");
    if (err == ISG_OK && id.n > 0) {
        struct isg_str *slot = id_slot(convert->ids, convert->cap, id);
        bool seen = slot->p != NULL;
        if (!seen) {
            char *copy = malloc(id.n);
            if (copy != NULL)
                *slot = (struct isg_str){memcpy(copy, id.p, id.n), id.n};
            convert->n++;
            stix_bundle_add(&convert->writer, object);
        }
    }
    stix_json_free(&json);
    return err != ISG_OK ? err : convert->out.err;
}

static void convert_done(struct convert *convert)
{
    for (size_t i = 0; i < convert->cap; i++)
        free((void *)(uintptr_t)convert->ids[i].p); /* NOLINT(performance-no-int-to-ptr): ours */
    free(convert->ids);
    isg_buf_done(&convert->out);
}

/*
 * The instance's own namespace and name where there is one, so that the objects are those that its
 * import makes; else a neutral one. --id-urn names another namespace.
 */
static int owner_of(struct cli *cli, const char *urn, struct feed_owner *out, struct isg_fail *why)
{
    struct config *config = NULL;
    struct isg_buf path;
    isg_buf_init(&path, 8192);
    isg_buf_printf(&path, "%s/isg.yaml", cli->dir);
    bool there = path.err == ISG_OK && access(path.p, R_OK) == 0;
    isg_buf_done(&path);
    int err = there ? cli_config_load(cli, NULL, &config, why) : ISG_OK;
    if (err != ISG_OK)
        return err;
    if (urn == NULL)
        urn = config != NULL ? config->id_urn : "urn:isao-gateway:convert";
    feed_owner_of(urn, config != NULL ? config->name : "ISAO Gateway", out);
    config_free(&config);
    return ISG_OK;
}

/* The same file gives the same bundle: its id is made of the file's digest. */
static void bundle_id(const struct feed_source *source, const struct feed_owner *owner,
                      struct isg_str text, char out[80])
{
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * ISG_SHA256_BYTES + 1];
    char name[128];
    char uuid[ISG_UUID_TEXT];
    isg_sha256(text, digest);
    isg_hex_encode(digest, sizeof digest, hex);
    (void)snprintf(name, sizeof name, "bundle:%s:%s", source->format, hex);
    isg_uuid_v5(owner->space, isg_str_of(name), uuid);
    (void)snprintf(out, 80, "bundle--%s", uuid);
}

static int convert_file(struct convert *convert, const struct feed_source *source,
                        const struct feed_owner *owner, const char *path, struct isg_fail *why)
{
    struct isg_buf text;
    char id[80];
    isg_buf_init(&text, FEED_FILE_MAX);
    int err = feed_file_read(path, &text, why);
    if (err == ISG_OK) {
        bundle_id(source, owner, isg_buf_str(&text), id);
        stix_bundle_begin(&convert->writer, &convert->out, id);
        err = feed_file_map(source, owner, path, isg_buf_str(&text), emit_bundle, convert,
                            &convert->left, why);
    }
    isg_buf_done(&text);
    if (err != ISG_OK)
        return err;
    stix_bundle_end(&convert->writer);
    return convert->out.err == ISG_OK
               ? ISG_OK
               : isg_fail(why, convert->out.err, "%s: the bundle is too large", path);
}

int cli_convert(struct cli *cli)
{
    struct convert convert = {0};
    struct isg_fail why = {0};
    struct feed_owner owner;
    const struct feed_source *source = NULL;
    const char *format = NULL;
    const char *urn = NULL;
    const char *target = "-";
    const struct cli_option options[] = {
        {"--format", NULL, &format}, {"--id-urn", NULL, &urn}, {"-o", NULL, &target}};
    int code = cli_options(cli, options, 3);
    if (code == 0)
        code = cli_expect(cli, 1, 1);
    if (code == 0 && (source = feed_file_source(cli, format)) == NULL)
        code = CLI_USAGE;
    if (code != 0)
        return code;
    isg_buf_init(&convert.out, 2 * FEED_FILE_MAX);
    int err = owner_of(cli, urn, &owner, &why);
    if (err == ISG_OK)
        err = convert_file(&convert, source, &owner, cli->args[0], &why);
    if (err == ISG_OK && strcmp(target, "-") != 0)
        err = cli_write(target, isg_buf_str(&convert.out), 0644, &why);
    else if (err == ISG_OK)
        cli_print(isg_buf_str(&convert.out));
    if (err == ISG_OK)
        feed_left_say(&convert.left, "isg convert: ", stderr);
    convert_done(&convert);
    return err == ISG_OK ? 0 : cli_fail(cli, &why);
}
