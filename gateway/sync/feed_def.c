#include "gateway/sync/feed_def.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/feed.h"
#include "feeds/fetch.h"
#include "stix/json.h"

enum { INTERVAL_DEFAULT_S = 3600, INTERVAL_MAX_S = 30 * 86400 };

void feed_def_done(struct feed_def *def)
{
    free(def->url);
    free(def->format);
    free(def->collection);
    free(def->header_file);
    free(def->ca);
    *def = (struct feed_def){.url = NULL};
}

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

static int feed_def_check(const struct feed_def *def, struct isg_fail *why)
{
    struct isg_fail url_why = {.code = ISG_OK};
    if (!name_fits(isg_str_of(def->name)))
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL, "lower-case letters, digits, . _ -");
    if (def->url == NULL || def->format == NULL || def->collection == NULL)
        return isg_fail(why, ISG_EINVAL, "url, format and collection are needed");
    if (feed_source_find(isg_str_of(def->format)) == NULL)
        return isg_fail_at(why, ISG_EINVAL, "/format", NULL, "no such format");
    if (feed_url_check(def->url, def->allow_private, &url_why) != ISG_OK)
        return isg_fail_at(why, ISG_EINVAL, "/url", "R-079", "%s", url_why.text);
    if (def->interval_s == 0 || def->interval_s > INTERVAL_MAX_S)
        return isg_fail_at(why, ISG_EINVAL, "/interval", NULL, "from 1 second to 30 days");
    return ISG_OK;
}

/* A copy of an optional text; false when there is no memory. */
static bool copied(const char *text, char **out)
{
    *out = text == NULL ? NULL : strdup(text);
    return text == NULL || *out != NULL;
}

int feed_def_copy(const struct feed_def *def, struct feed_def *out, struct isg_fail *why)
{
    struct feed_def copy = *def;
    bool good = copied(def->url, &copy.url);
    good = copied(def->format, &copy.format) && good;
    good = copied(def->collection, &copy.collection) && good;
    good = copied(def->header_file, &copy.header_file) && good;
    good = copied(def->ca, &copy.ca) && good;
    if (!good) {
        feed_def_done(&copy);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    *out = copy;
    return ISG_OK;
}

int feed_def_of_config(const struct config_feed *feed, struct feed_def *out, struct isg_fail *why)
{
    struct feed_def borrowed = {.url = feed->url,
                                .format = feed->format,
                                .collection = feed->collection,
                                .header_file = feed->header_file,
                                .ca = feed->ca,
                                .interval_s = feed->interval_s,
                                .allow_private = feed->allow_private};
    if (strlen(feed->name) > FEED_NAME_MAX)
        return isg_fail_at(why, ISG_EINVAL, "/name", NULL, "too long");
    (void)snprintf(borrowed.name, sizeof borrowed.name, "%s", feed->name);
    int err = feed_def_check(&borrowed, why);
    return err == ISG_OK ? feed_def_copy(&borrowed, out, why) : err;
}

/* "90", "90s", "15m", "1h", "2d" as seconds; 0 when it is not that. */
static uint32_t seconds_of(struct isg_str text)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t factor = 1;
    uint64_t n;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && text.n > 0; i++) {
        if (text.p[text.n - 1] == units[i].unit) {
            factor = units[i].seconds;
            text.n--;
            break;
        }
    }
    if (!isg_str_to_u64(text, INTERVAL_MAX_S, &n) || n * factor > INTERVAL_MAX_S)
        return 0;
    return (uint32_t)(n * factor);
}

static uint32_t interval_of(const struct stix_json *json)
{
    const struct stix_json *value = stix_json_get(json, "interval");
    int64_t n;
    if (value == NULL)
        return INTERVAL_DEFAULT_S;
    if (stix_json_int(value, &n))
        return n > 0 && n <= INTERVAL_MAX_S ? (uint32_t)n : 0;
    return seconds_of(stix_json_str(value));
}

static bool text_of(const struct stix_json *json, const char *name, char **out)
{
    struct isg_str text = stix_json_get_str(json, name);
    *out = text.n == 0 ? NULL : strndup(text.p, text.n);
    return text.n == 0 || *out != NULL;
}

static int def_read(const struct stix_json *json, struct feed_def *out, struct isg_fail *why)
{
    struct isg_str name = stix_json_get_str(json, "name");
    struct feed_def def = {.stored = true, .interval_s = interval_of(json)};
    def.allow_private = stix_json_bool(stix_json_get(json, "allow_private"));
    if (name.n <= FEED_NAME_MAX)
        (void)snprintf(def.name, sizeof def.name, "%.*s", ISG_STR_ARG(name));
    bool good = text_of(json, "url", &def.url);
    good = text_of(json, "format", &def.format) && good;
    good = text_of(json, "collection", &def.collection) && good;
    good = text_of(json, "header_file", &def.header_file) && good;
    good = text_of(json, "ca", &def.ca) && good;
    int err = good ? feed_def_check(&def, why) : isg_fail(why, ISG_ENOMEM, "no memory");
    if (err == ISG_OK)
        *out = def;
    else
        feed_def_done(&def);
    return err;
}

int feed_def_of_json(struct isg_str json, struct feed_def *out, struct isg_fail *why)
{
    struct stix_json *tree = NULL;
    int err = stix_json_parse(json, NULL, &tree, why);
    if (err == ISG_OK)
        err = def_read(tree, out, why);
    stix_json_free(&tree);
    return err;
}

void feed_def_write(const struct feed_def *def, struct isg_jsonw *w)
{
    isg_jsonw_put(w, "name", def->name);
    isg_jsonw_put(w, "url", def->url);
    isg_jsonw_put(w, "format", def->format);
    isg_jsonw_put(w, "collection", def->collection);
    isg_jsonw_put_int(w, "interval", def->interval_s);
    isg_jsonw_put(w, "header_file", def->header_file);
    isg_jsonw_put(w, "ca", def->ca);
    if (def->allow_private)
        isg_jsonw_put_bool(w, "allow_private", true);
}
