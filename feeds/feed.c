#include "feeds/feed.h"

#include <string.h>

#include "feeds/sources.h"
#include "stix/scan.h"

static const struct feed_source sources[] = {
    {.format = "kev",
     .title = "CISA Known Exploited Vulnerabilities",
     .map = source_kev,
     .withdraw = source_kev_withdraw},
    {.format = "nvd", .title = "NVD CVE API 2.0", .map = source_nvd},
    {.format = "csaf", .title = "CSAF 2.0 advisory", .map = source_csaf},
    {.format = "stix",
     .title = "STIX 2.1 bundle, envelope, list or object",
     .as_sent = true,
     .map = source_stix},
    {.format = "urlhaus",
     .title = "abuse.ch URLhaus, recent URLs",
     .lines = true,
     .map = source_csv},
    {.format = "threatfox",
     .title = "abuse.ch ThreatFox, recent indicators",
     .lines = true,
     .map = source_csv},
    {.format = "feodo",
     .title = "abuse.ch Feodo Tracker, addresses and ports",
     .lines = true,
     .map = source_csv},
    {.format = "sslbl", .title = "abuse.ch SSLBL, certificates", .lines = true, .map = source_csv},
    {.format = "spamhaus", .title = "Spamhaus DROP, ranges", .lines = true, .map = source_csv},
    {.format = "dshield", .title = "DShield block list", .lines = true, .map = source_csv},
    {.format = "openphish", .title = "OpenPhish, URLs", .lines = true, .map = source_csv},
    {.format = "list",
     .title = "List of indicators, a line each; hosts file; JSON lines",
     .lines = true,
     .map = source_csv},
    {.format = "suricata", .title = "Suricata EVE, alerts", .lines = true, .map = source_suricata},
    {.format = "zeek", .title = "Zeek logs, TSV and JSON", .lines = true, .map = source_zeek},
    {.format = NULL},
};

const struct feed_source *feed_source_find(struct isg_str format)
{
    for (const struct feed_source *source = sources; source->format != NULL; source++) {
        if (isg_str_is(format, source->format))
            return source;
    }
    return NULL;
}

const struct feed_source *feed_sources(void)
{
    return sources;
}

void feed_namespace(struct isg_str urn, char out[ISG_UUID_TEXT])
{
    isg_uuid_v5(ISG_UUID_NS_URL, urn, out);
}

static bool starts_with_any(struct isg_str body, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        struct isg_str word = isg_str_of(words[i]);
        if (body.n >= word.n && isg_str_ieq((struct isg_str){body.p, word.n}, word))
            return true;
    }
    return false;
}

bool feed_is_html(struct isg_str content_type, struct isg_str body)
{
    static const char *const tags[] = {"<!doctype html", "<html", "<head", "<body", "<!--", NULL};
    static const char *const types[] = {"text/html", "application/xhtml", NULL};
    body = isg_str_trim(body);
    if (body.n == 0 || body.p[0] != '<')
        return body.n > 0 && body.p[0] != '{' && body.p[0] != '[' &&
               starts_with_any(content_type, types);
    return starts_with_any(body, tags) || starts_with_any(content_type, types);
}

/* Some editors put a byte order mark before JSON; RFC 8259 lets a reader pass over it. */
static struct isg_str without_mark(struct isg_str text)
{
    return isg_str_starts(text, ISG_STR("\xef\xbb\xbf")) ? isg_str_from(text, 3) : text;
}

int feed_map(const struct feed_source *source, struct feed_context *context, struct isg_str text,
             struct isg_fail *why)
{
    text = without_mark(text);
    if (isg_str_trim(text).n == 0)
        return isg_fail(why, ISG_EPARSE, "the document is empty");
    if (feed_is_html((struct isg_str){0}, text))
        return isg_fail(why, ISG_EPARSE, "an HTML page where %s was due", source->format);
    context->source = source;
    if (!source->as_sent && !source->lines) {
        int err = stix_scan(text, NULL, why);
        if (err != ISG_OK)
            return err;
    }
    return source->map(context, text, why);
}
