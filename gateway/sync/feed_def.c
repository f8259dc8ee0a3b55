#include "gateway/sync/feed_def.h"

#include <string.h>

#include "feeds/feed.h"
#include "feeds/fetch.h"

/* [a-z0-9][a-z0-9._-]*, as the names of members: it stands in labels, metrics and keys. */
static bool name_fits(struct isg_str name)
{
    if (name.n == 0 || name.n > FEED_NAME_MAX || strchr("._-", name.p[0]) != NULL)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '\0' ||
            strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", name.p[i]) == NULL)
            return false;
    }
    return true;
}

/* A setting that the format has no use for is a mistake, and not passed over. */
static int format_check(const struct feed_def *def, struct isg_fail *why)
{
    const struct feed_source *source = feed_source_find(isg_str_of(def->format));
    if (source == NULL)
        return isg_fail_at(why, ISG_EINVAL, "/format", NULL, "no such format");
    if (def->columns != NULL && source->map != feed_source_find(ISG_STR("csv"))->map)
        return isg_fail_at(why, ISG_EINVAL, "/columns", NULL, "%s is no table", def->format);
    if (def->networks != NULL && !source->observes)
        return isg_fail_at(why, ISG_EINVAL, "/networks", NULL, "%s is not what sensors saw",
                           def->format);
    return ISG_OK;
}

static int feed_def_check(const struct feed_def *def, struct isg_fail *why)
{
    struct isg_fail url_why = {.code = ISG_OK};
    if (!name_fits(isg_str_of(def->name)))
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL,
                           "must be lower-case letters, digits, `.`, `_` or `-`");
    int err = format_check(def, why);
    if (err != ISG_OK)
        return err;
    if (feed_url_check(def->url, def->allow_private || def->allow_networks != NULL, &url_why) !=
        ISG_OK)
        return isg_fail_at(why, ISG_EINVAL, "/url", "R-079", "%s", url_why.text);
    return ISG_OK;
}

int feed_def_of_config(const struct feed_def *feed, struct feed_def *out, struct isg_fail *why)
{
    int err = feed_def_check(feed, why);
    return err == ISG_OK ? feed_def_copy(feed, out, why) : err;
}

/* What the transport cannot use is said before anything about the settings around it. */
static int scheme_check(const struct stix_json *json, struct isg_fail *why)
{
    struct isg_str url = stix_json_get_str(json, "url");
    if (url.n == 0 || isg_str_starts(url, ISG_STR("https://")) ||
        isg_str_starts(url, ISG_STR("http://")))
        return ISG_OK;
    return isg_fail_at(why, ISG_EINVAL, "/url", "R-079", "only https is spoken");
}

int feed_def_of_json(struct isg_str json, struct feed_def *out, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    struct feed_def def;
    int err = stix_json_parse(json, NULL, &tree, why);
    if (err == ISG_OK)
        err = scheme_check(tree, why);
    if (err == ISG_OK)
        err = feed_def_read(tree, &def, why);
    stix_json_free(&tree);
    if (err != ISG_OK)
        return err;
    err = feed_def_check(&def, why);
    if (err == ISG_OK)
        *out = def;
    else
        feed_def_done(&def);
    return err;
}
