#include "stix/equal.h"

#include <math.h>
#include <string.h>

#include "stix/base/time.h"
#include "stix/id.h"
#include "stix/pattern.h"
#include "stix/types.h"

/* --- renderings of one object (S-104) --- */

static bool is_false(const struct stix_json *object, const char *name)
{
    const struct stix_json *value = stix_json_get(object, name);
    return stix_json_type(value) == STIX_JSON_BOOL && !stix_json_bool(value);
}

void stix_equal_text(const struct stix_json *object, struct isg_buf *out)
{
    enum stix_kind kind = stix_type_kind(stix_json_get_str(object, "type"));
    bool sco = kind == STIX_KIND_SCO;
    bool versioned = stix_json_has(object, "modified") && !sco;
    const char *skip[4] = {NULL};
    size_t n = 0;
    if (versioned && is_false(object, "revoked"))
        skip[n++] = "revoked";
    if (sco && is_false(object, "defanged"))
        skip[n++] = "defanged";
    if (sco && isg_str_is(stix_json_get_str(object, "spec_version"), "2.1"))
        skip[n++] = "spec_version";
    if (n > 0)
        stix_json_canon_without(object, skip, out);
    else
        stix_json_canon(object, out);
}

int stix_equal(const struct stix_json *a, const struct stix_json *b, bool *out_equal,
               struct isg_fail *why)
{
    struct isg_buf left;
    struct isg_buf right;
    isg_buf_init(&left, ISG_BUF_NO_MAX);
    isg_buf_init(&right, ISG_BUF_NO_MAX);
    stix_equal_text(a, &left);
    stix_equal_text(b, &right);
    int err = left.err != ISG_OK ? left.err : right.err;
    if (err == ISG_OK)
        *out_equal = isg_str_eq(isg_buf_str(&left), isg_buf_str(&right));
    else
        (void)isg_fail(why, err, "no memory for the canonical texts");
    isg_buf_done(&left);
    isg_buf_done(&right);
    return err;
}

/* --- descriptions of the same thing (S-105) --- */

struct pair {
    const struct stix_json *a;
    const struct stix_json *b;
    stix_lookup *lookup;
    void *arg;
    struct isg_fail *why;
    int err; /* ISG_ENOMEM */
};

typedef bool same_fn(struct pair *p);

static bool same_text(const struct pair *p, const char *name)
{
    struct isg_str a = stix_json_get_str(p->a, name);
    struct isg_str b = stix_json_get_str(p->b, name);
    return (a.p == NULL) == (b.p == NULL) && isg_str_ieq(a, b);
}

/* True when these two elements of lists agree. */
typedef bool match_fn(const struct stix_json *a, const struct stix_json *b);

static size_t length(const struct stix_json *list)
{
    size_t n = stix_json_size(list);
    return n < STIX_SAME_LIST_MAX ? n : STIX_SAME_LIST_MAX;
}

static bool any_pair(const struct stix_json *a, const struct stix_json *b, match_fn *match)
{
    for (size_t i = 0; i < length(a); i++)
        for (size_t j = 0; j < length(b); j++)
            if (match(stix_json_at(a, i), stix_json_at(b, j)))
                return true;
    return false;
}

static bool same_observable(struct pair *p)
{
    char a[STIX_ID_MAX + 1];
    char b[STIX_ID_MAX + 1];
    bool fixed_a = false;
    bool fixed_b = false;
    if (stix_id_sco(p->a, a, &fixed_a, p->why) != ISG_OK ||
        stix_id_sco(p->b, b, &fixed_b, p->why) != ISG_OK) {
        p->err = ISG_ENOMEM;
        return false;
    }
    return fixed_a && fixed_b && strcmp(a, b) == 0;
}

static enum stix_pattern_version version_of(const struct stix_json *indicator)
{
    return isg_str_is(stix_json_get_str(indicator, "pattern_version"), "2.0") ? STIX_PATTERN_2_0
                                                                              : STIX_PATTERN_2_1;
}

static bool same_time(const struct pair *p, const char *name)
{
    struct isg_str a = stix_json_get_str(p->a, name);
    struct isg_str b = stix_json_get_str(p->b, name);
    int64_t us;
    return isg_time_parse(a, &us) && isg_time_parse(b, &us) && isg_time_cmp(a, b) == 0;
}

static bool same_indicator(struct pair *p)
{
    struct isg_str a = stix_json_get_str(p->a, "pattern");
    struct isg_str b = stix_json_get_str(p->b, "pattern");
    struct isg_str type = stix_json_get_str(p->a, "pattern_type");
    bool same = isg_str_eq(a, b);
    if (!isg_str_eq(type, stix_json_get_str(p->b, "pattern_type")) || !same_time(p, "valid_from"))
        return false;
    if (same || !isg_str_is(type, "stix") || version_of(p->a) != version_of(p->b))
        return same;
    int err = stix_pattern_equivalent(a, b, version_of(p->a), &same, NULL);
    if (err == ISG_ENOMEM)
        p->err = isg_fail(p->why, err, "no memory to compare patterns");
    return err == ISG_OK && same;
}

/* --- by what others call it --- */

static bool same_source(const struct stix_json *a, const struct stix_json *b)
{
    return stix_json_has(a, "external_id") && stix_json_has(b, "external_id") &&
           isg_str_eq(stix_json_get_str(a, "source_name"), stix_json_get_str(b, "source_name"));
}

static bool same_external_id(const struct stix_json *a, const struct stix_json *b)
{
    return same_source(a, b) &&
           isg_str_eq(stix_json_get_str(a, "external_id"), stix_json_get_str(b, "external_id"));
}

static bool both_cve(const struct stix_json *a, const struct stix_json *b)
{
    return same_source(a, b) && isg_str_is(stix_json_get_str(a, "source_name"), "cve");
}

static bool same_cve(const struct stix_json *a, const struct stix_json *b)
{
    return both_cve(a, b) && same_external_id(a, b);
}

/* Among the external references: a pair that matches decides, where any could have (known). */
static bool by_references(const struct pair *p, match_fn *known, match_fn *match, bool *out_decided)
{
    const struct stix_json *a = stix_json_get(p->a, "external_references");
    const struct stix_json *b = stix_json_get(p->b, "external_references");
    *out_decided = any_pair(a, b, known);
    return *out_decided && any_pair(a, b, match);
}

static bool same_vulnerability(struct pair *p)
{
    bool decided;
    bool same = by_references(p, both_cve, same_cve, &decided);
    return decided ? same : same_text(p, "name");
}

static bool same_alias(const struct stix_json *a, const struct stix_json *b)
{
    return isg_str_ieq(stix_json_str(a), stix_json_str(b));
}

static bool has_alias(const struct stix_json *object, struct isg_str name)
{
    const struct stix_json *aliases = stix_json_get(object, "aliases");
    for (size_t i = 0; i < length(aliases); i++)
        if (name.p != NULL && isg_str_ieq(stix_json_str(stix_json_at(aliases, i)), name))
            return true;
    return false;
}

static bool same_named(struct pair *p)
{
    struct isg_str a = stix_json_get_str(p->a, "name");
    struct isg_str b = stix_json_get_str(p->b, "name");
    bool decided;
    bool same = by_references(p, same_source, same_external_id, &decided);
    if (decided)
        return same;
    return (a.p != NULL && b.p != NULL && isg_str_ieq(a, b)) || has_alias(p->a, b) ||
           has_alias(p->b, a) ||
           any_pair(stix_json_get(p->a, "aliases"), stix_json_get(p->b, "aliases"), same_alias);
}

static bool same_identity(struct pair *p)
{
    return same_text(p, "name") && same_text(p, "identity_class");
}

/* --- places --- */

struct point {
    double latitude; /* radians */
    double longitude;
};

static bool point_of(const struct stix_json *location, struct point *out)
{
    static const double radians = 3.14159265358979323846 / 180;
    double latitude;
    double longitude;
    if (!stix_json_float(stix_json_get(location, "latitude"), &latitude) ||
        !stix_json_float(stix_json_get(location, "longitude"), &longitude))
        return false;
    *out = (struct point){latitude * radians, longitude * radians};
    return true;
}

/* Great-circle distance in metres, by the haversine formula. */
static double distance(struct point a, struct point b)
{
    static const double earth = 6371008.8; /* mean radius */
    double north = sin((b.latitude - a.latitude) / 2);
    double east = sin((b.longitude - a.longitude) / 2);
    double h = north * north + cos(a.latitude) * cos(b.latitude) * east * east;
    return 2 * earth * asin(sqrt(fmin(h, 1)));
}

static bool same_location(struct pair *p)
{
    struct point a;
    struct point b;
    if (point_of(p->a, &a) && point_of(p->b, &b))
        return distance(a, b) <= STIX_SAME_PLACE_M;
    bool either = stix_json_has(p->a, "region") || stix_json_has(p->a, "country");
    return either && same_text(p, "region") && same_text(p, "country");
}

/* --- relationships --- */

static bool same_end(struct pair *p, const char *name)
{
    struct isg_str a = stix_json_get_str(p->a, name);
    struct isg_str b = stix_json_get_str(p->b, name);
    if (isg_str_ieq(a, b) || p->lookup == NULL)
        return isg_str_ieq(a, b);
    const struct stix_json *from = p->lookup(p->arg, a);
    const struct stix_json *to = p->lookup(p->arg, b);
    bool same = false;
    /* An end is no relationship (S-049), but nobody has checked what lookup gives. */
    if (from == NULL || to == NULL || isg_str_is(stix_json_get_str(from, "type"), "relationship"))
        return false;
    int err = stix_equivalent(from, to, NULL, NULL, &same, p->why);
    if (err != ISG_OK)
        p->err = err;
    return err == ISG_OK && same;
}

static bool same_relationship(struct pair *p)
{
    return same_text(p, "relationship_type") && same_end(p, "source_ref") &&
           same_end(p, "target_ref");
}

/* --- the table --- */

static same_fn *rule_of(struct isg_str type)
{
    static const struct {
        const char *type;
        same_fn *same;
    } rows[] = {
        {"attack-pattern", same_named},
        {"campaign", same_named},
        {"identity", same_identity},
        {"indicator", same_indicator},
        {"intrusion-set", same_named},
        {"location", same_location},
        {"malware", same_named},
        {"relationship", same_relationship},
        {"threat-actor", same_named},
        {"tool", same_named},
        {"vulnerability", same_vulnerability},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (isg_str_is(type, rows[i].type))
            return rows[i].same;
    return stix_type_kind(type) == STIX_KIND_SCO ? same_observable : NULL;
}

int stix_equivalent(const struct stix_json *a, const struct stix_json *b, stix_lookup *lookup,
                    void *arg, bool *out_equivalent, struct isg_fail *why)
{
    struct pair p = {a, b, lookup, arg, why, ISG_OK};
    struct isg_str type = stix_json_get_str(a, "type");
    struct isg_str id = stix_json_get_str(a, "id");
    bool same = id.p != NULL && isg_str_ieq(id, stix_json_get_str(b, "id"));
    same_fn *rule = rule_of(type);
    if (!same && rule != NULL && isg_str_eq(type, stix_json_get_str(b, "type")))
        same = rule(&p);
    if (p.err == ISG_OK)
        *out_equivalent = same;
    return p.err;
}
