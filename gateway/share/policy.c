#include "gateway/share/policy.h"

#include <stdio.h>
#include <string.h>

#include "stix/base/digest.h"

enum {
    SOURCE_MAX = 256, /* bytes of a source as written */
    WAITS_MAX = 64    /* of a marking's id: `marking-definition--` and a UUID are 56 */
};

const char *policy_deny_name(enum policy_deny deny)
{
    static const char *const names[] = {
        [POLICY_ALLOW] = "allow",
        [POLICY_SUSPENDED] = "suspended",
        [POLICY_TLP] = "tlp",
        [POLICY_AUDIENCE] = "audience",
        [POLICY_CONSENT] = "consent",
        [POLICY_KIND] = "kind",
        [POLICY_UNKNOWN_MARKING] = "unknown_marking",
    };
    return (size_t)deny < sizeof names / sizeof *names ? names[deny] : "kind";
}

/* One row of the table of TLP and kinds: members who hold the read right are the audience; nobody
 * is a named recipient, and consents are at their defaults. */
struct rule {
    enum policy_deny clear;
    enum policy_deny green;
    enum policy_deny amber;
    enum policy_deny strict;
    enum policy_deny red;
};

#define RULE(c, g, a, s, r)                                        \
    {                                                              \
        POLICY_##c, POLICY_##g, POLICY_##a, POLICY_##s, POLICY_##r \
    }

static const struct rule rules[MEMBER_KIND_COUNT] = {
    [MEMBER_HOSPITAL] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_HOME_CARE] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_MDM] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_COMPONENT_SUPPLIER] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_RESEARCHER] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_ISAO_STAFF] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, ALLOW),
    [MEMBER_PEER_ISAO] = RULE(ALLOW, CONSENT, TLP, TLP, TLP),
    [MEMBER_COORDINATOR] = RULE(ALLOW, ALLOW, ALLOW, ALLOW, AUDIENCE),
    [MEMBER_REGULATOR] = RULE(ALLOW, CONSENT, CONSENT, CONSENT, AUDIENCE),
    [MEMBER_PUBLIC] = RULE(ALLOW, TLP, TLP, TLP, TLP),
};

static enum policy_deny rule_at(const struct rule *rule, enum stix_tlp tlp)
{
    switch (tlp) {
    case STIX_TLP_CLEAR: return rule->clear;
    case STIX_TLP_GREEN: return rule->green;
    case STIX_TLP_AMBER: return rule->amber;
    case STIX_TLP_AMBER_STRICT: return rule->strict;
    case STIX_TLP_RED: return rule->red;
    case STIX_TLP_NONE:
    case STIX_TLP_UNKNOWN: break;
    }
    return POLICY_UNKNOWN_MARKING; /* deny by default (S-071) */
}

enum policy_deny policy_decide(const struct policy_label *label, const struct member *member,
                               int64_t now_us)
{
    (void)now_us; /* nothing in a label depends on time yet */
    if (member->suspended || member->kind >= MEMBER_KIND_COUNT)
        return POLICY_SUSPENDED;
    if (member->kind == MEMBER_ISAO_STAFF || isg_str_is(label->source, member->name))
        return POLICY_ALLOW;
    enum policy_deny deny = rule_at(&rules[member->kind], label->tlp);
    if (deny == POLICY_ALLOW && label->tlp > member->tlp_max)
        return POLICY_TLP;
    return deny;
}

/* The levels of one object's markings, and the first that nobody knows. */
struct reading {
    const struct policy_markings *markings;
    struct isg_str unknown;
};

static enum stix_tlp level_of_marking(void *arg, struct isg_str id)
{
    struct reading *reading = arg;
    enum stix_tlp level = stix_tlp_of_marking(id);
    if (level != STIX_TLP_UNKNOWN || reading->unknown.n > 0)
        return level; /* one that nobody knows decides: to ask for more of them would only cost */
    if (reading->markings != NULL && reading->markings->is_statement(reading->markings->arg, id))
        return STIX_TLP_NONE;
    reading->unknown = id;
    return STIX_TLP_UNKNOWN;
}

struct policy_label policy_label_of(const struct stix_json *object,
                                    const struct collection *collection, struct isg_str source,
                                    const struct policy_markings *markings)
{
    struct reading reading = {.markings = markings};
    struct policy_label label = {.source = source};
    label.tlp = stix_tlp_strictest_by(object, level_of_marking, &reading);
    label.waits = reading.unknown;
    if (label.tlp != STIX_TLP_NONE)
        return label;
    if (isg_str_is(stix_json_get_str(object, "type"), "marking-definition") &&
        stix_tlp_object(stix_json_get_str(object, "id")) != NULL)
        label.tlp = STIX_TLP_CLEAR;
    else if (collection->default_tlp != STIX_TLP_NONE)
        label.tlp = collection->default_tlp;
    else
        label.tlp = STIX_TLP_AMBER;
    return label;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:@/%-", c) != NULL);
}

/* Write source escaped; false when it does not fit into max bytes and a NUL. */
static bool escape_source(struct isg_str source, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < source.n; i++) {
        size_t need = is_plain(source.p[i]) ? 1 : 3;
        if (need > max - n)
            return false;
        if (need == 1)
            out[n] = source.p[i];
        else
            (void)snprintf(out + n, 4, "%%%02X", (unsigned)(unsigned char)source.p[i]);
        n += need;
    }
    out[n] = '\0';
    return true;
}

void policy_label_write(const struct policy_label *label, char text[POLICY_LABEL_MAX])
{
    char source[SOURCE_MAX + 4];
    if (!escape_source(label->source, source, SOURCE_MAX)) {
        static const char head[] = "%sha256:";
        uint8_t digest[ISG_SHA256_BYTES];
        isg_sha256(label->source, digest);
        memcpy(source, head, sizeof head);
        isg_hex_encode(digest, sizeof digest, source + sizeof head - 1);
    }
    /* NONE is no effective level: whoever forgot to decide gets the strictest. */
    enum stix_tlp tlp = label->tlp == STIX_TLP_NONE ? STIX_TLP_UNKNOWN : label->tlp;
    bool waits = label->waits.n > 0 && label->waits.n <= WAITS_MAX && tlp == STIX_TLP_UNKNOWN;
    const struct isg_str parts[] = {ISG_STR("tlp="),    isg_str_of(stix_tlp_name(tlp)),
                                    ISG_STR(";src="),   isg_str_of(source),
                                    ISG_STR(";waits="), label->waits};
    enum { ALL = sizeof parts / sizeof *parts, UNTIL_SOURCE = ALL - 2 };
    for (size_t i = 0; i < (waits ? ALL : UNTIL_SOURCE); i++) { /* one label an object: no printf */
        memcpy(text, parts[i].p, parts[i].n);
        text += parts[i].n;
    }
    *text = '\0';
}

/* Read for every label of a collection on every request: the levels as written, by their bytes. */
static enum stix_tlp level_of(struct isg_str name)
{
    static const struct {
        struct isg_str name;
        enum stix_tlp tlp;
    } levels[] = {
        {{"clear", 5}, STIX_TLP_CLEAR}, {{"green", 5}, STIX_TLP_GREEN},
        {{"amber", 5}, STIX_TLP_AMBER}, {{"amber+strict", 12}, STIX_TLP_AMBER_STRICT},
        {{"red", 3}, STIX_TLP_RED},     {{"unknown", 7}, STIX_TLP_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (isg_str_eq(name, levels[i].name))
            return levels[i].tlp;
    }
    return STIX_TLP_NONE;
}

struct policy_label policy_label_read(struct isg_str text)
{
    static const struct policy_label nobody = {.tlp = STIX_TLP_RED};
    size_t end = isg_str_find(text, ';');
    if (end == SIZE_MAX || !isg_str_starts(text, ISG_STR("tlp=")))
        return nobody;
    struct isg_str tlp = {text.p + 4, end - 4};
    struct isg_str rest = isg_str_from(text, end + 1);
    struct isg_str source;
    if (!isg_str_starts(rest, ISG_STR("src=")) || !isg_str_split(&rest, ';', &source))
        return nobody;
    struct policy_label label = {.tlp = level_of(tlp), .source = isg_str_from(source, 4)};
    if (rest.p != NULL) {
        if (!isg_str_starts(rest, ISG_STR("waits=")) || isg_str_find(rest, ';') != SIZE_MAX ||
            label.tlp != STIX_TLP_UNKNOWN)
            return nobody;
        label.waits = isg_str_from(rest, 6);
    }
    return label.tlp == STIX_TLP_NONE ? nobody : label;
}
