/* Page tokens: what they are bound to and what they are not (T-043, T-064, X-11, X-33). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/taxii/next.h"
#include "tests/support/tap.h"

#define C1 "11111111-1111-4111-8111-111111111111"
#define C2 "22222222-2222-4222-8222-222222222222"

struct use {
    const char *collection;
    const char *member;
    enum query_endpoint endpoint;
    const char *raw;
    int want;
};

/* Sealed for C1, hospital-a, objects, match[type]=malware. */
static const struct use uses[] = {
    {C1, "hospital-a", QUERY_OBJECTS, "match[type]=malware", ISG_OK},
    {C1, "hospital-a", QUERY_OBJECTS, "match%5Btype%5D=malware&limit=3", ISG_OK},
    {C1, "hospital-a", QUERY_OBJECTS,
     "match[type]=malware&added_after=2026-01-02T03:04:05Z&limit=9", ISG_OK},
    {C2, "hospital-a", QUERY_OBJECTS, "match[type]=malware", ISG_EINVAL},
    {C1, "hospital-b", QUERY_OBJECTS, "match[type]=malware", ISG_EINVAL},
    {C1, "hospital-", QUERY_OBJECTS, "match[type]=malware", ISG_EINVAL},
    {C1, "", QUERY_OBJECTS, "match[type]=malware", ISG_EINVAL},
    {C1, "hospital-a", QUERY_MANIFEST, "match[type]=malware", ISG_EINVAL},
    {C1, "hospital-a", QUERY_VERSIONS, "", ISG_EINVAL},
    {C1, "hospital-a", QUERY_OBJECTS, "", ISG_EINVAL},
    {C1, "hospital-a", QUERY_OBJECTS, "match[type]=indicator", ISG_EINVAL},
    {C1, "hospital-a", QUERY_OBJECTS, "match[type]=indicator,malware", ISG_EINVAL},
    {C1, "hospital-a", QUERY_OBJECTS, "match[type]=malware&match[version]=all", ISG_EINVAL},
    {C1, "hospital-a", QUERY_OBJECTS, "match[type]=malware&match[spec_version]=2.0", ISG_EINVAL},
};

static void parse(struct isg_arena *arena, const struct use *use, struct query *out)
{
    struct query_ask ask = {use->endpoint, isg_str_of(use->raw), ISG_STR(""), 100};
    if (query_parse(arena, &ask, out, NULL) != ISG_OK)
        abort();
}

static int open_as(const struct trust_secret *secret, const struct use *use, struct isg_str token,
                   uint64_t *position)
{
    struct isg_arena *arena = isg_arena_new(1 << 16);
    struct query query;
    parse(arena, use, &query);
    struct next_binding binding = {isg_str_of(use->collection), isg_str_of(use->member), &query};
    int err = next_open(secret, &binding, token, position, NULL);
    isg_arena_free(&arena);
    return err;
}

static void make(const struct trust_secret *secret, uint64_t position, struct isg_buf *out)
{
    struct isg_arena *arena = isg_arena_new(1 << 16);
    struct query query;
    parse(arena, &uses[0], &query);
    struct next_binding binding = {isg_str_of(uses[0].collection), isg_str_of(uses[0].member),
                                   &query};
    if (next_seal(secret, &binding, position, out, NULL) != ISG_OK)
        abort();
    isg_arena_free(&arena);
}

static void check_broken(const struct trust_secret *secret, struct isg_str token)
{
    uint64_t position;
    size_t accepted = 0;
    char *copy = malloc(token.n + 300);
    for (size_t i = 0; i < token.n; i++) { /* every character counts */
        memcpy(copy, token.p, token.n);
        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        accepted += open_as(secret, &uses[0], (struct isg_str){copy, token.n}, &position) == ISG_OK;
    }
    is_int((long long)accepted, 0, "no changed token is accepted");
    for (size_t n = 0; n < token.n; n++)
        accepted += open_as(secret, &uses[0], (struct isg_str){token.p, n}, &position) == ISG_OK;
    is_int((long long)accepted, 0, "no shortened token is accepted");
    memset(copy, 'A', token.n + 300);
    is_int(open_as(secret, &uses[0], (struct isg_str){copy, token.n + 300}, &position), ISG_EINVAL,
           "a long text is refused");
    is_int(open_as(secret, &uses[0], ISG_STR("%%%"), &position), ISG_EINVAL, "so is nonsense");
    free(copy);
}

int main(void)
{
    char dir[] = "/tmp/isg-next-XXXXXX";
    if (mkdtemp(dir) == NULL)
        tap_skip_all("no temporary directory");
    char path[64];
    (void)snprintf(path, sizeof path, "%s/secret.key", dir);
    struct trust_secret *secret = NULL;
    is_int(trust_secret_open(path, &secret, NULL), ISG_OK, "a secret is made");
    struct isg_buf token;
    isg_buf_init(&token, 1024);
    make(secret, 0x0102030405060708, &token);
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        uint64_t position = 0;
        int err = open_as(secret, &uses[i], isg_buf_str(&token), &position);
        is_int(err, uses[i].want, "%s %s %d '%s'", uses[i].collection, uses[i].member,
               (int)uses[i].endpoint, uses[i].raw);
        if (err == ISG_OK)
            ok(position == 0x0102030405060708, "the position comes back");
    }
    check_broken(secret, isg_buf_str(&token));
    trust_secret_free(&secret);
    is_int(trust_secret_open(path, &secret, NULL), ISG_OK, "the secret is read again");
    uint64_t position = 0;
    is_int(open_as(secret, &uses[0], isg_buf_str(&token), &position), ISG_OK,
           "a token survives a restart (X-33)");
    struct isg_buf other;
    isg_buf_init(&other, 1024);
    make(secret, 7, &other);
    is_int((long long)other.len, (long long)token.len, "the length tells nothing of the position");
    isg_buf_done(&other);
    isg_buf_done(&token);
    trust_secret_free(&secret);
    (void)unlink(path);
    (void)rmdir(dir);
    return tap_done();
}
