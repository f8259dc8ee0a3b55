/*
 * The relations the standard defines between pairs of types (S-053).
 */
#include "stix/types_table.h"

enum { TARGETS_MAX = 7 };

/* Sorted by source, then by name. */
struct relation {
    const char *source;
    const char *name;
    const char *targets[TARGETS_MAX]; /* NULL-ended unless full */
    bool observables;                 /* any observable, too */
};

/* Between any two objects. */
static const char *const common[] = {"derived-from", "duplicate-of", "related-to"};

// clang-format off
static const struct relation relations[] = {
    {"attack-pattern", "delivers", {"malware"}, false},
    {"attack-pattern", "targets", {"identity", "location", "vulnerability"}, false},
    {"attack-pattern", "uses", {"malware", "tool"}, false},
    {"campaign", "attributed-to", {"intrusion-set", "threat-actor"}, false},
    {"campaign", "compromises", {"infrastructure"}, false},
    {"campaign", "originates-from", {"location"}, false},
    {"campaign", "targets", {"identity", "location", "vulnerability"}, false},
    {"campaign", "uses", {"attack-pattern", "infrastructure", "malware", "tool"}, false},
    {"course-of-action", "investigates", {"indicator"}, false},
    {"course-of-action", "mitigates", {"attack-pattern", "indicator", "malware", "tool", "vulnerability"}, false},
    {"course-of-action", "remediates", {"malware", "vulnerability"}, false},
    {"domain-name", "resolves-to", {"domain-name", "ipv4-addr", "ipv6-addr"}, false},
    {"identity", "located-at", {"location"}, false},
    {"indicator", "based-on", {"observed-data"}, false},
    {"indicator", "indicates", {"attack-pattern", "campaign", "infrastructure", "intrusion-set", "malware", "threat-actor", "tool"}, false},
    {"infrastructure", "communicates-with", {"domain-name", "infrastructure", "ipv4-addr", "ipv6-addr", "url"}, false},
    {"infrastructure", "consists-of", {"infrastructure", "observed-data"}, true},
    {"infrastructure", "controls", {"infrastructure", "malware"}, false},
    {"infrastructure", "delivers", {"malware"}, false},
    {"infrastructure", "has", {"vulnerability"}, false},
    {"infrastructure", "hosts", {"malware", "tool"}, false},
    {"infrastructure", "located-at", {"location"}, false},
    {"infrastructure", "uses", {"infrastructure"}, false},
    {"intrusion-set", "attributed-to", {"threat-actor"}, false},
    {"intrusion-set", "compromises", {"infrastructure"}, false},
    {"intrusion-set", "hosts", {"infrastructure"}, false},
    {"intrusion-set", "originates-from", {"location"}, false},
    {"intrusion-set", "owns", {"infrastructure"}, false},
    {"intrusion-set", "targets", {"identity", "location", "vulnerability"}, false},
    {"intrusion-set", "uses", {"attack-pattern", "infrastructure", "malware", "tool"}, false},
    {"ipv4-addr", "belongs-to", {"autonomous-system"}, false},
    {"ipv4-addr", "resolves-to", {"mac-addr"}, false},
    {"ipv6-addr", "belongs-to", {"autonomous-system"}, false},
    {"ipv6-addr", "resolves-to", {"mac-addr"}, false},
    {"malware", "authored-by", {"intrusion-set", "threat-actor"}, false},
    {"malware", "beacons-to", {"infrastructure"}, false},
    {"malware", "communicates-with", {"domain-name", "ipv4-addr", "ipv6-addr", "url"}, false},
    {"malware", "controls", {"malware"}, false},
    {"malware", "downloads", {"file", "malware", "tool"}, false},
    {"malware", "drops", {"file", "malware", "tool"}, false},
    {"malware", "exfiltrates-to", {"infrastructure"}, false},
    {"malware", "exploits", {"vulnerability"}, false},
    {"malware", "originates-from", {"location"}, false},
    {"malware", "targets", {"identity", "infrastructure", "location", "vulnerability"}, false},
    {"malware", "uses", {"attack-pattern", "infrastructure", "malware", "tool"}, false},
    {"malware", "variant-of", {"malware"}, false},
    {"malware-analysis", "av-analysis-of", {"malware"}, false},
    {"malware-analysis", "characterizes", {"malware"}, false},
    {"malware-analysis", "dynamic-analysis-of", {"malware"}, false},
    {"malware-analysis", "static-analysis-of", {"malware"}, false},
    {"threat-actor", "attributed-to", {"identity"}, false},
    {"threat-actor", "compromises", {"infrastructure"}, false},
    {"threat-actor", "hosts", {"infrastructure"}, false},
    {"threat-actor", "impersonates", {"identity"}, false},
    {"threat-actor", "located-at", {"location"}, false},
    {"threat-actor", "owns", {"infrastructure"}, false},
    {"threat-actor", "targets", {"identity", "location", "vulnerability"}, false},
    {"threat-actor", "uses", {"attack-pattern", "infrastructure", "malware", "tool"}, false},
    {"tool", "delivers", {"malware"}, false},
    {"tool", "drops", {"malware"}, false},
    {"tool", "has", {"vulnerability"}, false},
    {"tool", "targets", {"identity", "infrastructure", "location", "vulnerability"}, false},
    {"tool", "uses", {"infrastructure"}, false},
};
// clang-format on

static int compare(struct isg_str source, struct isg_str name, const struct relation *row)
{
    int order = isg_str_cmp(source, isg_str_of(row->source));
    return order != 0 ? order : isg_str_cmp(name, isg_str_of(row->name));
}

static const struct relation *find(struct isg_str source, struct isg_str name)
{
    size_t low = 0;
    size_t high = sizeof relations / sizeof relations[0];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(source, name, &relations[mid]);
        if (order == 0)
            return &relations[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

bool stix_relation_is_defined(struct isg_str source, struct isg_str name, struct isg_str target)
{
    if (stix_words_have(common, sizeof common / sizeof common[0], name))
        return true;
    const struct relation *row = find(source, name);
    if (row == NULL)
        return false;
    for (size_t i = 0; i < TARGETS_MAX && row->targets[i] != NULL; i++)
        if (isg_str_is(target, row->targets[i]))
            return true;
    return row->observables && stix_type_kind(target) == STIX_KIND_SCO;
}
