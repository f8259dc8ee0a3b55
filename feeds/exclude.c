/*
 * The built-in list, and asking all lists about the parts of a value (feeds digest 3.4).
 */
#include "feeds/exclude.h"

#include <stdlib.h>
#include <string.h>

#include "feeds/warninglist.h"

struct exclude_lists {
    bool exercise;
    struct warning_list *first;
    struct warning_list **end;
};

/* Ranges set aside for something else than hosts of the public network. */
static const struct {
    const char *reason;
    uint8_t prefix[16];
    unsigned bits; /* of 128 */
    bool example;  /* for documentation and tests */
} ranges[] = {
#define V4(a, b, c)                                       \
    {                                                     \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c \
    }
    {"this-network", V4(0, 0, 0), 96 + 8, false},
    {"private", V4(10, 0, 0), 96 + 8, false},
    {"shared", V4(100, 64, 0), 96 + 10, false},
    {"loopback", V4(127, 0, 0), 96 + 8, false},
    {"link-local", V4(169, 254, 0), 96 + 16, false},
    {"private", V4(172, 16, 0), 96 + 12, false},
    {"reserved", V4(192, 0, 0), 96 + 24, false},
    {"documentation", V4(192, 0, 2), 96 + 24, true},
    {"reserved", V4(192, 88, 99), 96 + 24, false},
    {"private", V4(192, 168, 0), 96 + 16, false},
    {"benchmark", V4(198, 18, 0), 96 + 15, true},
    {"documentation", V4(198, 51, 100), 96 + 24, true},
    {"documentation", V4(203, 0, 113), 96 + 24, true},
    {"multicast", V4(224, 0, 0), 96 + 4, false},
    {"reserved", V4(240, 0, 0), 96 + 4, false},
#undef V4
    {"this-network", {0}, 128, false},
    {"loopback", {[15] = 1}, 128, false},
    {"documentation", {0x20, 0x01, 0x0d, 0xb8}, 32, true},
    {"documentation", {0x3f, 0xff}, 20, true},
    {"benchmark", {0x20, 0x01, 0x00, 0x02}, 48, true},
    {"private", {0xfc}, 7, false},
    {"link-local", {0xfe, 0x80}, 10, false},
    {"link-local", {0xfe, 0xc0}, 10, false},
    {"multicast", {0xff}, 8, false},
    {"reserved", {0}, 96, false},                                 /* IPv4-compatible, deprecated */
    {"reserved", {[8] = 0xff, [9] = 0xff}, 96, false},            /* IPv4-translated */
    {"private", {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, false}, /* a site's own translation */
    {"reserved", {0x01, 0x00}, 64, false},                        /* discarded */
    {"reserved", {0x20, 0x01, 0x00, 0x10}, 28, false},            /* names of hosts, not places */
    {"reserved", {0x20, 0x01, 0x00, 0x20}, 28, false},
    {"reserved", {0x5f, 0x00}, 16, false}, /* segments of routes */
};

/* IPv6 networks whose addresses are IPv4 addresses in another dress, and where these begin. */
static const struct {
    uint8_t first[16];
    uint8_t last[16];
    size_t at;
} carriers[] = {
    /* 64:ff9b::/96, NAT64 (RFC 6052): where it is in use, it is the whole IPv4 network */
    {{0x00, 0x64, 0xff, 0x9b}, {0x00, 0x64, 0xff, 0x9b, [12] = 0xff, 0xff, 0xff, 0xff}, 12},
    /* 2002::/16, 6to4 (RFC 3056) */
    {{0x20, 0x02},
     {0x20, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff},
     2},
};

/* Names that are nobody's, with all below them (RFC 6761, 6762, 8375, 9476). */
static const struct {
    const char *name;
    const char *reason;
    bool example;
} domains[] = {
    {"localhost", "loopback", false},       {"local", "private", false},
    {"internal", "private", false},         {"in-addr.arpa", "reverse", false},
    {"ip6.arpa", "reverse", false},         {"home.arpa", "private", false},
    {"localdomain", "private", false},      {"lan", "private", false},
    {"invalid", "special-name", false},     {"onion", "special-name", false},
    {"alt", "special-name", false},         {"example", "documentation", true},
    {"example.com", "documentation", true}, {"example.net", "documentation", true},
    {"example.org", "documentation", true}, {"test", "documentation", true},
};

/* Hashes of the empty file. */
static const char empty_sha512[] =
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f"
    "63b931bd47417a81a538327af927da3e";
static const char *const empty_hashes[] = {
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    empty_sha512,
};

struct exclude_lists *exclude_new(bool exercise)
{
    struct exclude_lists *lists = calloc(1, sizeof *lists);
    if (lists != NULL) {
        lists->exercise = exercise;
        lists->end = &lists->first;
    }
    return lists;
}

void exclude_free(struct exclude_lists **lists)
{
    if (*lists == NULL)
        return;
    while ((*lists)->first != NULL) {
        struct warning_list *list = (*lists)->first;
        (*lists)->first = list->next;
        warning_list_free(&list);
    }
    free(*lists);
    *lists = NULL;
}

int exclude_add(struct exclude_lists *lists, struct isg_str file, enum exclude_answer answer,
                struct isg_fail *why)
{
    struct warning_list *list = NULL;
    int err = warning_list_read(file, &list, why);
    if (err != ISG_OK)
        return err;
    list->drops = answer == EXCLUDE_DROP;
    *lists->end = list;
    lists->end = &list->next;
    return ISG_OK;
}

/* ---- the built-in list ---------------------------------------------------------------------- */

/* Does first..last meet the range? Both ways: in it, or around it. */
static bool meets(size_t i, const uint8_t first[16], const uint8_t last[16])
{
    uint8_t end[16];
    for (unsigned b = 0; b < 16; b++) {
        unsigned kept = ranges[i].bits > b * 8 ? ranges[i].bits - b * 8 : 0;
        end[b] = (uint8_t)(ranges[i].prefix[b] | (kept >= 8 ? 0 : 0xffU >> kept));
    }
    return memcmp(first, end, 16) <= 0 && memcmp(last, ranges[i].prefix, 16) >= 0;
}

static const char *special_addresses(const struct exclude_lists *lists, const uint8_t first[16],
                                     const uint8_t last[16])
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (!(ranges[i].example && lists->exercise) && meets(i, first, last))
            return ranges[i].reason;
    }
    return NULL;
}

/* The IPv4 addresses that those of a value carry; false where there are none. */
static bool carried(const struct ioc *ioc, uint8_t out_first[16], uint8_t out_last[16])
{
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
    for (size_t i = 0; ioc->has_range && i < sizeof carriers / sizeof carriers[0]; i++) {
        const uint8_t *first = carriers[i].first;
        const uint8_t *last = carriers[i].last;
        if (memcmp(ioc->first, last, 16) > 0 || memcmp(ioc->last, first, 16) < 0)
            continue;
        first = memcmp(ioc->first, first, 16) > 0 ? ioc->first : first;
        last = memcmp(ioc->last, last, 16) < 0 ? ioc->last : last;
        memcpy(out_first, mapped, 16);
        memcpy(out_last, mapped, 16);
        memcpy(out_first + 12, first + carriers[i].at, 4);
        memcpy(out_last + 12, last + carriers[i].at, 4);
        return true;
    }
    return false;
}

static const char *special_range(const struct exclude_lists *lists, const struct ioc *ioc)
{
    uint8_t first[16];
    uint8_t last[16];
    const char *reason = ioc->has_range ? special_addresses(lists, ioc->first, ioc->last) : NULL;
    if (reason == NULL && carried(ioc, first, last))
        reason = special_addresses(lists, first, last);
    return reason;
}

/* The name or a parent of it. */
static bool is_below(struct isg_str name, struct isg_str parent)
{
    return isg_str_eq(name, parent) ||
           (isg_str_ends(name, parent) && name.p[name.n - parent.n - 1] == '.');
}

static const char *special_name(const struct exclude_lists *lists, struct isg_str name)
{
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++) {
        if (!(domains[i].example && lists->exercise) && is_below(name, isg_str_of(domains[i].name)))
            return domains[i].reason;
    }
    return NULL;
}

static const char *special_hash(struct isg_str value)
{
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof empty_hashes / sizeof empty_hashes[0]; i++) {
        if (isg_str_is(value, empty_hashes[i]))
            return "empty-file";
    }
    while (zeros < value.n && value.p[zeros] == '0')
        zeros++;
    return zeros == value.n ? "zero-hash" : NULL;
}

/* The domain in a value, or nothing. */
static struct isg_str name_of(const struct ioc *ioc)
{
    if (ioc->kind == IOC_DOMAIN)
        return ioc->value;
    bool has_name = ioc->kind == IOC_EMAIL || (ioc->kind == IOC_URL && !ioc->has_range);
    return has_name ? ioc->host : (struct isg_str){0};
}

static bool is_hash(enum ioc_kind kind)
{
    return kind >= IOC_MD5 && kind <= IOC_CERT_SHA256;
}

static const char *special(const struct exclude_lists *lists, const struct ioc *ioc)
{
    struct isg_str name = name_of(ioc);
    if (name.n > 0)
        return special_name(lists, name);
    return is_hash(ioc->kind) ? special_hash(ioc->value) : special_range(lists, ioc);
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* A text list is asked about a part as a C string in lower case. */
static bool has_part(const struct warning_list *list, struct isg_str part)
{
    char small[256];
    char *text = part.n < sizeof small ? small : malloc(part.n + 1);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < part.n; i++)
        text[i] = (char)(part.p[i] >= 'A' && part.p[i] <= 'Z' ? part.p[i] + 32 : part.p[i]);
    text[part.n] = '\0';
    bool hit = part.n > 0 && warning_list_has_text(list, text);
    if (text != small)
        free(text);
    return hit;
}

/* Is the host in a URL or an address of mail listed, rather than the value itself? */
static bool has_host(const struct warning_list *list, const struct ioc *ioc)
{
    uint8_t first[16];
    uint8_t last[16];
    return has_part(list, ioc->host) || warning_list_has_name(list, name_of(ioc)) ||
           (ioc->has_range && warning_list_has_range(list, ioc->first, ioc->last)) ||
           (carried(ioc, first, last) && warning_list_has_range(list, first, last));
}

static enum exclude_answer ask(const struct warning_list *list, const struct ioc *ioc)
{
    enum exclude_answer answer = list->drops ? EXCLUDE_DROP : EXCLUDE_WARN;
    if (has_part(list, ioc->value))
        return answer;
    if (!has_host(list, ioc))
        return EXCLUDE_PASS;
    return ioc->kind == IOC_URL ? EXCLUDE_WARN : answer; /* a bad path on a good host */
}

struct exclude_verdict exclude_check(const struct exclude_lists *lists, const struct ioc *ioc)
{
    struct exclude_verdict verdict = {EXCLUDE_PASS, NULL};
    const char *reason = special(lists, ioc);
    if (reason != NULL)
        return (struct exclude_verdict){EXCLUDE_DROP, reason};
    for (const struct warning_list *list = lists->first; list != NULL; list = list->next) {
        enum exclude_answer answer = ask(list, ioc);
        if (answer > verdict.answer)
            verdict = (struct exclude_verdict){answer, list->name};
        if (answer == EXCLUDE_DROP)
            break;
    }
    return verdict;
}

/* ---- counts --------------------------------------------------------------------------------- */

static void count_reason(struct exclude_tally *tally, const char *list)
{
    for (size_t i = 0; i < EXCLUDE_REASONS; i++) {
        if (tally->reasons[i].list == NULL)
            tally->reasons[i].list = list;
        if (strcmp(tally->reasons[i].list, list) == 0) {
            tally->reasons[i].hits++;
            return;
        }
    }
}

void exclude_count(struct exclude_tally *tally, const struct exclude_verdict *verdict,
                   const struct ioc *ioc)
{
    tally->passed += verdict->answer == EXCLUDE_PASS;
    tally->warned += verdict->answer == EXCLUDE_WARN;
    if (verdict->answer != EXCLUDE_PASS)
        count_reason(tally, verdict->list);
    if (verdict->answer != EXCLUDE_DROP)
        return;
    size_t at = (size_t)(tally->dropped++ % EXCLUDE_KEPT);
    size_t n = ioc->value.n < sizeof tally->last[at].value ? ioc->value.n
                                                           : sizeof tally->last[at].value - 1;
    memcpy(tally->last[at].value, ioc->value.p, n);
    tally->last[at].value[n] = '\0';
    tally->last[at].list = verdict->list;
}
