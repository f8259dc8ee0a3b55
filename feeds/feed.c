#include "feeds/feed.h"

#include <string.h>

#include "feeds/csv.h"
#include "feeds/sources.h"

enum { RECORDS_MAX = 1000000 };

static const struct feed_source sources[] = {
    {.format = "kev",
     .title = "CISA Known Exploited Vulnerabilities",
     .map = source_kev,
     .withdraw = source_kev_withdraw},
    {.format = "nvd", .title = "NVD CVE API 2.0", .map = source_nvd},
    {.format = "epss", .title = "FIRST EPSS, table or API", .lines = true, .map = source_epss},
    {.format = "csaf",
     .title = "CSAF 2.0 advisory",
     .hash_files = true,
     .names_vendors = true,
     .map = source_csaf},
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
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "sslbl",
     .title = "abuse.ch SSLBL, certificates",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "spamhaus",
     .title = "Spamhaus DROP, ranges",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "dshield",
     .title = "DShield block list",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "openphish",
     .title = "OpenPhish, URLs",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "zeek-intel",
     .title = "Zeek's files of intelligence",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "csv",
     .title = "Table of indicators with a header, or with columns of your own",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "list",
     .title = "List of indicators, a line each; hosts file; JSON lines",
     .lines = true,
     .delists = true,
     .map = source_csv,
     .withdraw = source_csv_withdraw},
    {.format = "suricata",
     .title = "Suricata EVE, alerts",
     .lines = true,
     .observes = true,
     .map = source_suricata},
    {.format = "shadowserver",
     .title = "Shadowserver reports on a member's own hosts, JSON and CSV",
     .lines = true,
     .to_member = true,
     .observes = true,
     .map = source_shadowserver},
    {.format = "zeek",
     .title = "Zeek logs, TSV and JSON",
     .lines = true,
     .observes = true,
     .map = source_zeek},
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

bool feed_shows_all(const struct feed_source *source, const struct csv_profile *profile)
{
    if (profile == NULL)
        profile = csv_profile_find(isg_str_of(source->format));
    return source->withdraw != NULL && (profile == NULL || profile->full_state);
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

struct isg_str feed_unmarked(struct isg_str text)
{
    return isg_str_starts(text, ISG_STR("\xef\xbb\xbf")) ? isg_str_from(text, 3) : text;
}

/* ---- bounds (digest 2.2) -------------------------------------------------------------------- */

/* Stands between a mapping and who takes its objects. */
struct gate {
    struct feed_context *context;
    feed_emit *emit;
    void *arg;
    uint64_t emitted;
};

static int emit_bounded(void *arg, struct isg_str object, const char *facet, struct isg_fail *why)
{
    struct gate *gate = arg;
    const struct feed_context *context = gate->context;
    uint64_t max = context->max_records != 0 ? context->max_records : RECORDS_MAX;
    gate->emitted++;
    if ((context->records > 0 ? context->records : gate->emitted) > max)
        return isg_fail_at(why, ISG_ELIMIT, NULL, "R-084", "more than %llu records",
                           (unsigned long long)max);
    return gate->emit(gate->arg, object, facet, why);
}

static int scan_lines(struct isg_str text, size_t max, struct isg_fail *why)
{
    struct isg_str line;
    for (size_t n = 1; max > 0 && isg_str_split(&text, '\n', &line); n++) {
        if (line.n > max)
            return isg_fail_at(why, ISG_ELIMIT, NULL, "R-084", "line %zu is longer than %zu bytes",
                               n, max);
    }
    return ISG_OK;
}

/* JSON is scanned by its reader: whole and within context->limits, or object by object as sent. */
static int scan(const struct feed_context *context, struct isg_str text, struct isg_fail *why)
{
    return context->source->lines ? scan_lines(text, context->limits.string_bytes, why) : ISG_OK;
}

int feed_map(const struct feed_source *source, struct feed_context *context, struct isg_str text,
             struct isg_fail *why)
{
    struct gate gate = {.context = context, .emit = context->emit, .arg = context->arg};
    text = feed_unmarked(text);
    if (isg_str_trim(text).n == 0)
        return isg_fail(why, ISG_EPARSE, "the document is empty");
    if (feed_is_html((struct isg_str){0}, text))
        return isg_fail(why, ISG_EPARSE, "an HTML page where %s was due", source->format);
    context->source = source;
    int err = scan(context, text, why);
    if (err != ISG_OK)
        return err;
    context->emit = emit_bounded;
    context->arg = &gate;
    err = source->map(context, text, why);
    context->emit = gate.emit;
    context->arg = gate.arg;
    return err;
}
