#include "gateway/share/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/metrics.h"
#include "gateway/networks.h"
#include "gateway/share/document.h"
#include "gateway/share/rate.h"
#include "gateway/share/throttle.h"
#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"

enum {
    HEADER_MAX = 4096, /* bytes of an Authorization value */
    SETS = 1024,       /* times WAYS logins are remembered */
    WAYS = 4,
    PASSWORDS_MAX = 2 /* a member has at once, while a rotation lasts */
};

struct memory {
    uint8_t mac[TRUST_MAC_BYTES]; /* of name, password and the member's stamp */
    uint64_t used;                /* 0: free */
};

struct auth {
    const struct trust_secret *secret;
    struct throttle *throttle;
    struct rate *rate;
    char dummy_hash[TRUST_PASSWORD_TEXT]; /* for names that are not there */
    pthread_mutex_t lock;                 /* of what follows */
    uint64_t clock;
    struct memory logins[SETS][WAYS];
};

struct auth *auth_new(const struct trust_secret *secret)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (auth == NULL)
        return NULL;
    auth->secret = secret;
    (void)pthread_mutex_init(&auth->lock, NULL);
    auth->throttle = throttle_new(secret);
    auth->rate = rate_new();
    uint8_t nobody[16];
    char text[2 * sizeof nobody + 1];
    trust_random(nobody, sizeof nobody);
    isg_hex_encode(nobody, sizeof nobody, text);
    if (auth->throttle == NULL || auth->rate == NULL ||
        trust_password_hash(isg_str_of(text), auth->dummy_hash, NULL) != ISG_OK)
        auth_free(&auth);
    return auth;
}

void auth_free(struct auth **auth)
{
    if (auth == NULL || *auth == NULL)
        return;
    throttle_free(&(*auth)->throttle);
    rate_free(&(*auth)->rate);
    (void)pthread_mutex_destroy(&(*auth)->lock);
    free(*auth);
    *auth = NULL;
}

/* ---- remembered logins ---------------------------------------------------------------------- */

static bool is_remembered(struct auth *auth, const uint8_t mac[TRUST_MAC_BYTES])
{
    bool found = false;
    struct memory *set = auth->logins[(mac[0] << 8 | mac[1]) % SETS];
    (void)pthread_mutex_lock(&auth->lock);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used != 0 && trust_mac_equal(set[i].mac, mac)) {
            set[i].used = ++auth->clock;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&auth->lock);
    return found;
}

static void remember(struct auth *auth, const uint8_t mac[TRUST_MAC_BYTES])
{
    struct memory *set = auth->logins[(mac[0] << 8 | mac[1]) % SETS];
    (void)pthread_mutex_lock(&auth->lock);
    struct memory *oldest = set;
    for (size_t i = 1; i < WAYS; i++) {
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    memcpy(oldest->mac, mac, TRUST_MAC_BYTES);
    oldest->used = ++auth->clock;
    (void)pthread_mutex_unlock(&auth->lock);
}

/* ---- one request ---------------------------------------------------------------------------- */

struct check {
    struct auth *auth;
    const struct registry *registry;
    const struct auth_request *request;
    bool may_wait;
    unsigned retry_s;
    struct isg_fail *why;
};

/* One text for every reason, so that nobody learns which names exist. */
static int refuse(const struct check *check)
{
    return isg_fail(check->why, ISG_EAUTH, "credentials are missing or not valid");
}

/* Count a wrong try by address and, where one was given, by name. */
static int refuse_wrong(struct check *check, const char *kind, struct isg_str name)
{
    int64_t now_us = isg_time_mono_us() + 1; /* never 0, which marks a free entry */
    struct throttle *throttle = check->auth->throttle;
    char peer[NETWORKS_ADDRESS_TEXT];
    networks_subscriber(check->request->peer, peer);
    unsigned by_peer = throttle_wrong(throttle, 'p', isg_str_of(peer), now_us);
    unsigned by_name = name.n > 0 ? throttle_wrong(throttle, 'n', name, now_us) : 0;
    check->retry_s = by_peer > by_name ? by_peer : by_name;
    metric_add(METRIC_AUTH_FAILURES, kind, 1);
    if (check->retry_s == 0)
        return refuse(check);
    metric_add(METRIC_RATE_LIMITED, "", 1);
    return isg_fail(check->why, ISG_ELIMIT, "too many wrong credentials");
}

/* What a login may match: a hash, and what to remember a right one by. */
struct password {
    const char *hash;
    uint8_t mac[TRUST_MAC_BYTES];
};

static void login_mac(const struct auth *auth, const struct member *member, struct isg_str pair,
                      char which, uint8_t mac[TRUST_MAC_BYTES])
{
    struct isg_buf text;
    isg_buf_init(&text, (size_t)2 * HEADER_MAX);
    isg_buf_put(&text, &member->stamp, sizeof member->stamp);
    isg_buf_putc(&text, which);
    isg_buf_put_str(&text, pair);
    trust_mac(auth->secret, "login", isg_buf_str(&text), mac);
    if (text.p != NULL)
        trust_wipe(text.p, text.len);
    isg_buf_done(&text);
}

/* The member's passwords that are good now; none when it is unknown or may not log in so. */
static size_t passwords_of(const struct auth *auth, const struct member *member,
                           struct isg_str pair, struct password out[PASSWORDS_MAX])
{
    size_t n = 0;
    if (member == NULL || member->suspended)
        return 0;
    if (member->password_hash != NULL) {
        out[n].hash = member->password_hash;
        login_mac(auth, member, pair, 'n', out[n++].mac);
    }
    if (member->old_password_hash != NULL && member->old_password_until_us > isg_time_now_us()) {
        out[n].hash = member->old_password_hash;
        login_mac(auth, member, pair, 'o', out[n++].mac);
    }
    return n;
}

static bool is_known(struct auth *auth, const struct password *passwords, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_remembered(auth, passwords[i].mac))
            return true;
    return false;
}

/*
 * Run argon2id. A wrong try costs the same whoever it names: as many runs as any member has
 * passwords at the moment, on a hash nobody knows where this one has fewer.
 */
static bool matches(const struct check *check, const struct password *passwords, size_t n,
                    struct isg_str text)
{
    struct auth *auth = check->auth;
    size_t runs = check->registry->rotation_until_us > isg_time_now_us() ? PASSWORDS_MAX : 1;
    for (size_t i = 0; i < runs; i++) {
        bool right = trust_password_verify(i < n ? passwords[i].hash : auth->dummy_hash, text);
        if (right && i < n) {
            remember(auth, passwords[i].mac);
            return true;
        }
    }
    return false;
}

/* Verify behind the door. */
static int verify(struct check *check, const struct password *passwords, size_t n,
                  struct isg_str pair)
{
    struct auth *auth = check->auth;
    size_t colon = isg_str_find(pair, ':');
    struct isg_str name = {pair.p, colon};
    uint8_t login[TRUST_MAC_BYTES];
    trust_mac(auth->secret, "door", pair, login);
    if (!throttle_enter(auth->throttle, login)) {
        check->retry_s = 1;
        metric_add(METRIC_RATE_LIMITED, "", 1);
        return isg_fail(check->why, ISG_ELIMIT, "too many logins at once");
    }
    /* A client that opens many connections brings the same login on each: one run serves all. */
    bool right =
        is_known(auth, passwords, n) || matches(check, passwords, n, isg_str_from(pair, colon + 1));
    throttle_leave(auth->throttle, login);
    return right ? ISG_OK : refuse_wrong(check, "kind=\"basic\"", name);
}

static int check_pair(struct check *check, struct isg_str pair, const struct member **out)
{
    struct password passwords[PASSWORDS_MAX];
    size_t colon = isg_str_find(pair, ':');
    if (colon == SIZE_MAX || !isg_utf8_is_valid(pair) || !document_is_clean(pair))
        return refuse(check); /* RFC 7617: no colon in a name, no control characters at all */
    const struct member *member = registry_member(check->registry, (struct isg_str){pair.p, colon});
    size_t n = passwords_of(check->auth, member, pair, passwords);
    if (is_known(check->auth, passwords, n)) {
        *out = member;
        return ISG_OK;
    }
    if (!check->may_wait)
        return isg_fail(check->why, ISG_EBUSY, "the password is not verified yet");
    int err = verify(check, passwords, n, pair);
    if (err == ISG_OK)
        *out = member;
    return err;
}

static int check_basic(struct check *check, struct isg_str text, const struct member **out)
{
    struct isg_buf pair;
    isg_buf_init(&pair, HEADER_MAX);
    int err = isg_base64_decode(ISG_BASE64_STD, text, &pair) && pair.err == ISG_OK && pair.p != NULL
                  ? check_pair(check, isg_buf_str(&pair), out)
                  : refuse(check);
    if (pair.p != NULL)
        trust_wipe(pair.p, pair.len);
    isg_buf_done(&pair);
    return err;
}

static int check_token(struct check *check, struct isg_str text, const struct member **out)
{
    static const struct isg_str nameless = {NULL, 0};
    uint8_t mac[TRUST_MAC_BYTES];
    if (text.n == 0)
        return refuse(check);
    trust_mac(check->auth->secret, "token", text, mac);
    const struct member *member = registry_by_token(check->registry, mac, isg_time_now_us());
    if (member == NULL || member->suspended)
        return refuse_wrong(check, "kind=\"token\"", nameless);
    *out = member;
    return ISG_OK;
}

static const struct {
    const char *name;
    int (*check)(struct check *check, struct isg_str text, const struct member **out);
} schemes[] = {
    {"Basic", check_basic},
    {"Bearer", check_token},
    {"Token", check_token},
};

static int check_authorization(struct check *check, const struct member **out)
{
    struct isg_str value = isg_str_trim(check->request->authorization);
    struct isg_str scheme;
    if (value.n > HEADER_MAX || !isg_str_split(&value, ' ', &scheme))
        return refuse(check);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (isg_str_ieq(scheme, isg_str_of(schemes[i].name)))
            return schemes[i].check(check, isg_str_trim(value), out);
    }
    return refuse(check);
}

/* ---- client certificates -------------------------------------------------------------------- */

/* The member this issuer and one of these names belong to. *out_clash: to more than one. */
static const struct member *find_by_names(const struct check *check, bool *out_clash)
{
    const struct auth_certificate *shown = &check->request->certificate;
    struct isg_buf text;
    struct isg_str rest = shown->names;
    struct isg_str line;
    const struct member *found = NULL;
    isg_buf_init(&text, (size_t)HEADER_MAX * 4);
    while (isg_str_split(&rest, '\n', &line)) {
        isg_buf_reset(&text);
        isg_buf_put_str(&text, shown->issuer);
        isg_buf_putc(&text, '\0');
        isg_buf_put_str(&text, line);
        isg_buf_putc(&text, '\0');
        if (text.err != ISG_OK)
            break;
        struct member_certificate wanted = {NULL, text.p, text.p + shown->issuer.n + 1};
        const struct member *member = registry_by_certificate(check->registry, &wanted);
        *out_clash = *out_clash || (member != NULL && found != NULL && member != found);
        found = member != NULL ? member : found;
    }
    isg_buf_done(&text);
    return found;
}

/* *out NULL: no certificate, or nobody's. Two ways that lead to two members lead nowhere. */
static int check_certificate(const struct check *check, const struct member **out)
{
    const struct auth_certificate *shown = &check->request->certificate;
    char fingerprint[65];
    struct member_certificate wanted = {.fingerprint = fingerprint};
    bool clash = false;
    if (shown->fingerprint.n == 0 || !member_fingerprint(shown->fingerprint, fingerprint))
        return check->request->certificate_needed ? refuse(check) : ISG_OK;
    const struct member *by_print = registry_by_certificate(check->registry, &wanted);
    const struct member *by_name = find_by_names(check, &clash);
    if (clash || (by_print != NULL && by_name != NULL && by_print != by_name))
        return refuse(check);
    *out = by_print != NULL ? by_print : by_name;
    return ISG_OK;
}

int auth_check(struct auth *auth, const struct registry *registry,
               const struct auth_request *request, bool may_wait, const struct member **out,
               unsigned *out_retry_s, struct isg_fail *why)
{
    struct check check = {auth, registry, request, may_wait, 0, why};
    const struct member *by_certificate = NULL;
    const struct member *member = NULL;
    int err = check_certificate(&check, &by_certificate);
    if (err == ISG_OK && request->authorization.p != NULL)
        err = check_authorization(&check, &member);
    else
        member = by_certificate;
    /* Two credentials must agree: neither may widen the other. */
    if (err == ISG_OK && (member == NULL || member->suspended ||
                          (by_certificate != NULL && by_certificate != member)))
        err = refuse(&check);
    if (err == ISG_OK)
        *out = member;
    else if (err == ISG_ELIMIT && out_retry_s != NULL)
        *out_retry_s = check.retry_s;
    return err;
}

unsigned auth_admit(struct auth *auth, const struct member *member, uint32_t per_minute)
{
    if (member->requests_per_minute != MEMBER_AS_CONFIGURED)
        per_minute = (uint32_t)member->requests_per_minute;
    unsigned wait_s =
        rate_take(auth->rate, isg_str_of(member->name), per_minute, isg_time_mono_us());
    if (wait_s > 0)
        metric_add(METRIC_RATE_LIMITED, "", 1);
    return wait_s;
}

void auth_load(struct auth *auth, const char *path)
{
    throttle_load(auth->throttle, path, isg_time_mono_us() + 1);
}

int auth_save(struct auth *auth, const char *path, struct isg_fail *why)
{
    return throttle_save(auth->throttle, path, isg_time_mono_us() + 1, why);
}
