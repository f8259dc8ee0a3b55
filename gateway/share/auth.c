#include "gateway/share/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/metrics.h"
#include "gateway/share/document.h"
#include "gateway/share/throttle.h"
#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"

enum {
    HEADER_MAX = 4096, /* bytes of an Authorization value */
    SETS = 1024,       /* times WAYS logins are remembered */
    WAYS = 4
};

struct memory {
    uint8_t mac[TRUST_MAC_BYTES]; /* of name, password and the member's stamp */
    uint64_t used;                /* 0: free */
};

struct auth {
    const struct trust_secret *secret;
    struct throttle *throttle;
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
    uint8_t nobody[16];
    char text[2 * sizeof nobody + 1];
    trust_random(nobody, sizeof nobody);
    isg_hex_encode(nobody, sizeof nobody, text);
    if (auth->throttle == NULL ||
        trust_password_hash(isg_str_of(text), auth->dummy_hash, NULL) != ISG_OK)
        auth_free(&auth);
    return auth;
}

void auth_free(struct auth **auth)
{
    if (auth == NULL || *auth == NULL)
        return;
    throttle_free(&(*auth)->throttle);
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
    unsigned by_peer = throttle_wrong(throttle, 'p', check->request->peer, now_us);
    unsigned by_name = name.n > 0 ? throttle_wrong(throttle, 'n', name, now_us) : 0;
    check->retry_s = by_peer > by_name ? by_peer : by_name;
    metric_add(METRIC_AUTH_FAILURES, kind, 1);
    if (check->retry_s == 0)
        return refuse(check);
    metric_add(METRIC_RATE_LIMITED, "", 1);
    return isg_fail(check->why, ISG_ELIMIT, "too many wrong credentials");
}

static void login_mac(const struct auth *auth, const struct member *member, struct isg_str pair,
                      uint8_t mac[TRUST_MAC_BYTES])
{
    struct isg_buf text;
    isg_buf_init(&text, (size_t)2 * HEADER_MAX);
    isg_buf_put(&text, &member->stamp, sizeof member->stamp);
    isg_buf_put_str(&text, pair);
    trust_mac(auth->secret, "login", isg_buf_str(&text), mac);
    if (text.p != NULL)
        trust_wipe(text.p, text.len);
    isg_buf_done(&text);
}

/*
 * Run argon2id, behind the door; for a name that is not there on a hash nobody knows. mac:
 * what to remember a right login by; NULL for a member that cannot log in so.
 */
static int verify(struct check *check, const struct member *member, struct isg_str pair,
                  const uint8_t *mac)
{
    struct auth *auth = check->auth;
    const char *hash = member != NULL ? member->password_hash : NULL;
    size_t colon = isg_str_find(pair, ':');
    struct isg_str name = {pair.p, colon};
    if (!throttle_enter(auth->throttle)) {
        check->retry_s = 1;
        metric_add(METRIC_RATE_LIMITED, "", 1);
        return isg_fail(check->why, ISG_ELIMIT, "too many logins at once");
    }
    /* A client that opens many connections brings the same login on each: one run serves all. */
    bool right = mac != NULL && is_remembered(auth, mac);
    if (!right)
        right = trust_password_verify(hash != NULL ? hash : auth->dummy_hash,
                                      isg_str_from(pair, colon + 1));
    if (right && mac != NULL)
        remember(auth, mac);
    throttle_leave(auth->throttle);
    return right && mac != NULL ? ISG_OK : refuse_wrong(check, "kind=\"basic\"", name);
}

static int check_pair(struct check *check, struct isg_str pair, const struct member **out)
{
    size_t colon = isg_str_find(pair, ':');
    if (colon == SIZE_MAX || !isg_utf8_is_valid(pair) || !document_is_clean(pair))
        return refuse(check); /* RFC 7617: no colon in a name, no control characters at all */
    const struct member *member = registry_member(check->registry, (struct isg_str){pair.p, colon});
    uint8_t mac[TRUST_MAC_BYTES];
    bool usable = member != NULL && member->password_hash != NULL && !member->suspended;
    if (usable) {
        login_mac(check->auth, member, pair, mac);
        if (is_remembered(check->auth, mac)) {
            *out = member;
            return ISG_OK;
        }
    }
    if (!check->may_wait)
        return isg_fail(check->why, ISG_EBUSY, "the password is not verified yet");
    int err = verify(check, member, pair, usable ? mac : NULL);
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

int auth_check(struct auth *auth, const struct registry *registry,
               const struct auth_request *request, bool may_wait, const struct member **out,
               unsigned *out_retry_s, struct isg_fail *why)
{
    struct check check = {auth, registry, request, may_wait, 0, why};
    const struct member *by_certificate = NULL;
    const struct member *member = NULL;
    char fingerprint[65];
    int err = ISG_OK;
    if (request->certificate.n > 0 && member_fingerprint(request->certificate, fingerprint))
        by_certificate = registry_by_certificate(registry, fingerprint);
    if (request->authorization.p != NULL)
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
