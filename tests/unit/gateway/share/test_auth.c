/* Logins: schemes, malformed headers, agreement of two credentials, throttle. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/share/auth.h"
#include "gateway/share/document.h"
#include "gateway/share/rate.h"
#include "gateway/share/throttle.h"
#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "tests/support/tap.h"

#define FP_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FP_C "22112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define FP_B "11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct trust_secret *secret;
static struct isg_arena *arena;
static const struct registry *registry;
static struct auth *auth;

static void open_secret(void)
{
    char dir[] = "/tmp/isg-auth-XXXXXX";
    char path[64];
    if (mkdtemp(dir) == NULL)
        tap_skip_all("no temporary folder");
    (void)snprintf(path, sizeof path, "%s/secret", dir);
    struct isg_fail why = {.code = ISG_OK};
    ok(trust_secret_open(path, &secret, &why) == ISG_OK, "a secret: %s", why.text);
    (void)unlink(path);
    (void)rmdir(dir);
}

static struct member member_of(const char *name, const char *password)
{
    struct member member = {.kind = MEMBER_HOSPITAL,
                            .tlp_max = STIX_TLP_RED,
                            .requests_per_minute = MEMBER_AS_CONFIGURED,
                            .stamp = 1};
    member.name = isg_arena_copy(arena, isg_str_of(name));
    member.title = member.name;
    if (password != NULL) {
        member.password_hash = isg_arena_alloc(arena, TRUST_PASSWORD_TEXT);
        trust_password_hash(isg_str_of(password), member.password_hash, NULL);
    }
    return member;
}

static void give_token(struct member *member, const char *token, int64_t expires_us)
{
    member->tokens = isg_arena_alloc(arena, sizeof *member->tokens);
    member->tokens_count = 1;
    trust_mac(secret, "token", isg_str_of(token), member->tokens[0].mac);
    member->tokens[0].label = member->name;
    member->tokens[0].expires_us = expires_us;
}

static void give_certificate(struct member *member, const char *fingerprint)
{
    member->certificates = isg_arena_alloc(arena, sizeof *member->certificates);
    *member->certificates =
        (struct member_certificate){.fingerprint = isg_arena_copy(arena, isg_str_of(fingerprint))};
    member->certificates_count = 1;
}

static void give_name(struct member *member, const char *issuer, const char *san)
{
    struct member_certificate *list = isg_arena_alloc(arena, 2 * sizeof *list);
    list[0] = member->certificates[0];
    list[1] = (struct member_certificate){.issuer = isg_arena_copy(arena, isg_str_of(issuer)),
                                          .san = isg_arena_copy(arena, isg_str_of(san))};
    member->certificates = list;
    member->certificates_count = 2;
}

static void make_registry(void)
{
    struct registry *fresh = registry_new(1);
    struct member a = member_of("alice", "p:ss w\xc3\xb6rd");
    struct member b = member_of("bob", NULL);
    struct member c = member_of("carol", "carol-secret");
    struct member d = member_of("dora", "new-secret");
    give_token(&a, "isg_alice", 0);
    give_certificate(&a, FP_A);
    give_token(&b, "isg_old", 1);
    give_certificate(&b, FP_B);
    give_name(&a, "CN=St Mary CA", "DNS:siem.example");
    give_name(&b, "CN=St Mary CA", "EMAIL:bob@example");
    d.old_password_hash = member_of("dora", "old-secret").password_hash;
    registry_add_member(fresh, &d);
    give_token(&c, "isg_carol", 0);
    c.suspended = true;
    registry_add_member(fresh, &c);
    registry_add_member(fresh, &a);
    registry_add_member(fresh, &b);
    is_int(registry_finish(fresh), ISG_OK, "members");
    registry = fresh;
}

/* "Basic " and the base64 of pair. */
static struct isg_str basic(struct isg_str pair)
{
    struct isg_buf text;
    isg_buf_init(&text, 1 << 20);
    isg_buf_puts(&text, "Basic ");
    isg_base64_encode(ISG_BASE64_STD, pair.p, pair.n, &text);
    struct isg_str copy = {isg_arena_copy(arena, isg_buf_str(&text)), text.len};
    isg_buf_done(&text);
    return copy;
}

static int check(struct isg_str authorization, const char *certificate, const char *peer,
                 bool may_wait, const char **out_name)
{
    const struct member *member = NULL;
    unsigned retry_s = 0;
    struct isg_fail why;
    struct auth_request request = {.authorization = authorization,
                                   .certificate = {.fingerprint = isg_str_of(certificate)},
                                   .peer = isg_str_of(peer)};
    int err = auth_check(auth, registry, &request, may_wait, &member, &retry_s, &why);
    *out_name = member == NULL ? "" : member->name;
    if (err == ISG_ELIMIT && (retry_s == 0 || retry_s > THROTTLE_WINDOW_S + 1))
        *out_name = "bad retry";
    return err;
}

static void check_schemes(void)
{
    const struct {
        const char *name;
        struct isg_str header;
        const char *certificate;
        int want;
        const char *who;
    } rows[] = {
        {"no header", {NULL, 0}, NULL, ISG_EAUTH, ""},
        {"an empty header", ISG_STR(""), NULL, ISG_EAUTH, ""},
        {"a scheme alone", ISG_STR("Basic"), NULL, ISG_EAUTH, ""},
        {"a scheme nobody knows", ISG_STR("Digest x"), NULL, ISG_EAUTH, ""},
        {"no base64", ISG_STR("Basic !!!"), NULL, ISG_EAUTH, ""},
        {"no colon", basic(ISG_STR("alice")), NULL, ISG_EAUTH, ""},
        {"a NUL", basic(ISG_STR("alice\0:x")), NULL, ISG_EAUTH, ""},
        {"not UTF-8", basic(ISG_STR("alice:\xff")), NULL, ISG_EAUTH, ""},
        {"two headers joined", ISG_STR("Bearer isg_alice, Bearer isg_alice"), NULL, ISG_EAUTH, ""},
        {"right password, first colon splits", basic(ISG_STR("alice:p:ss w\xc3\xb6rd")), NULL,
         ISG_OK, "alice"},
        {"wrong password", basic(ISG_STR("alice:p")), NULL, ISG_EAUTH, ""},
        {"an unknown name", basic(ISG_STR("mallory:p")), NULL, ISG_EAUTH, ""},
        {"a member without password", basic(ISG_STR("bob:")), NULL, ISG_EAUTH, ""},
        {"suspended, right password", basic(ISG_STR("carol:carol-secret")), NULL, ISG_EAUTH, ""},
        {"bearer", ISG_STR("Bearer isg_alice"), NULL, ISG_OK, "alice"},
        {"any case", ISG_STR("bEARER isg_alice"), NULL, ISG_OK, "alice"},
        {"token", ISG_STR("Token isg_alice"), NULL, ISG_OK, "alice"},
        {"a wrong token", ISG_STR("Token isg_alicf"), NULL, ISG_EAUTH, ""},
        {"an expired token", ISG_STR("Bearer isg_old"), NULL, ISG_EAUTH, ""},
        {"a suspended member's token", ISG_STR("Bearer isg_carol"), NULL, ISG_EAUTH, ""},
        {"a certificate", {NULL, 0}, FP_A, ISG_OK, "alice"},
        {"a certificate nobody has", {NULL, 0}, "00", ISG_EAUTH, ""},
        {"two that agree", ISG_STR("Bearer isg_alice"), FP_A, ISG_OK, "alice"},
        {"two that do not", ISG_STR("Bearer isg_alice"), FP_B, ISG_EAUTH, ""},
        {"a good certificate does not heal a wrong token", ISG_STR("Bearer x"), FP_A, ISG_EAUTH,
         ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char peer[32];
        const char *who;
        (void)snprintf(peer, sizeof peer, "192.0.2.%zu", i);
        is_int(check(rows[i].header, rows[i].certificate, peer, true, &who), rows[i].want, "%s",
               rows[i].name);
        is_str(who, rows[i].who, "is '%s'", rows[i].who);
    }
    char *huge = isg_arena_alloc(arena, 100001);
    const char *who;
    memset(huge, 'A', 100000);
    memcpy(huge, "Basic ", 6);
    is_int(check((struct isg_str){huge, 100000}, NULL, "192.0.2.99", true, &who), ISG_EAUTH,
           "100 KB of header");
}

/* By issuer and name: never by a CN alone, and never two members at once. */
static void check_names(void)
{
    static const struct {
        const char *name, *fingerprint, *issuer, *names;
        int want;
        const char *who;
    } rows[] = {
        {"issuer and name", FP_C, "CN=St Mary CA", "DNS:siem.example\n", ISG_OK, "alice"},
        {"one of several", FP_C, "CN=St Mary CA", "DNS:x\nIP:192.0.2.1\nDNS:siem.example\n", ISG_OK,
         "alice"},
        {"another issuer", FP_C, "CN=Another CA", "DNS:siem.example\n", ISG_EAUTH, ""},
        {"the subject is not looked at", FP_C, "CN=St Mary CA", "", ISG_EAUTH, ""},
        {"another kind of name", FP_C, "CN=St Mary CA", "URI:siem.example\n", ISG_EAUTH, ""},
        {"a longer name", FP_C, "CN=St Mary CA", "DNS:siem.example.org\n", ISG_EAUTH, ""},
        {"names of two members", FP_C, "CN=St Mary CA", "DNS:siem.example\nEMAIL:bob@example\n",
         ISG_EAUTH, ""},
        {"a fingerprint of one, a name of another", FP_B, "CN=St Mary CA", "DNS:siem.example\n",
         ISG_EAUTH, ""},
        {"both of one", FP_A, "CN=St Mary CA", "DNS:siem.example\n", ISG_OK, "alice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct member *member = NULL;
        struct isg_fail why;
        struct auth_request request = {.certificate = {isg_str_of(rows[i].fingerprint),
                                                       isg_str_of(rows[i].issuer),
                                                       isg_str_of(rows[i].names)},
                                       .certificate_needed = true,
                                       .peer = ISG_STR("192.0.2.1")};
        is_int(auth_check(auth, registry, &request, true, &member, NULL, &why), rows[i].want, "%s",
               rows[i].name);
        is_str(member != NULL ? member->name : "", rows[i].who, "is '%s'", rows[i].who);
    }
    const struct member *member = NULL;
    struct isg_fail why;
    struct auth_request request = {.authorization = ISG_STR("Bearer isg_alice"),
                                   .certificate_needed = true,
                                   .peer = ISG_STR("192.0.2.1")};
    is_int(auth_check(auth, registry, &request, true, &member, NULL, &why), ISG_EAUTH,
           "where a certificate is needed, a token alone does not do");
}

/* Two passwords are good while a rotation lasts, and not a moment longer. */
static void check_rotation(void)
{
    const char *who;
    struct isg_str fresh = basic(ISG_STR("dora:new-secret"));
    struct isg_str old = basic(ISG_STR("dora:old-secret"));
    struct member *dora = (struct member *)(uintptr_t)registry_member(registry, ISG_STR("dora"));
    struct registry *snapshot = (struct registry *)(uintptr_t)registry;
    is_int(check(old, NULL, "198.51.100.9", true, &who), ISG_EAUTH, "no rotation, no old password");
    dora->old_password_until_us = isg_time_now_us() + 3600000000;
    snapshot->rotation_until_us = dora->old_password_until_us;
    is_int(check(old, NULL, "198.51.100.9", true, &who), ISG_OK, "the password before");
    is_int(check(fresh, NULL, "198.51.100.9", true, &who), ISG_OK, "and the new one");
    is_int(check(old, NULL, "198.51.100.9", false, &who), ISG_OK, "both are remembered");
    is_int(check(basic(ISG_STR("dora:third")), NULL, "198.51.100.9", true, &who), ISG_EAUTH,
           "a third is wrong");
    dora->old_password_until_us = isg_time_now_us() - 1;
    snapshot->rotation_until_us = dora->old_password_until_us;
    is_int(check(old, NULL, "198.51.100.9", true, &who), ISG_EAUTH,
           "over is over, remembered or not");
    is_int(check(fresh, NULL, "198.51.100.9", false, &who), ISG_OK, "the new one stays");
}

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* turn about, so that what else the machine does falls on both; medians of many. */
static double ratio_of(struct isg_str left, struct isg_str right, int tries)
{
    enum { TRIES_MAX = 20000 };
    static int64_t times[2][TRIES_MAX];
    const char *who;
    for (int i = 0; i < 2 * tries; i++) {
        struct timespec from, to;
        (void)clock_gettime(CLOCK_MONOTONIC, &from);
        (void)check(i % 2 == 0 ? left : right, NULL, "198.51.100.44", true, &who);
        (void)clock_gettime(CLOCK_MONOTONIC, &to);
        times[i % 2][i / 2] =
            (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
    }
    qsort(times[0], (size_t)tries, sizeof times[0][0], compare_times);
    qsort(times[1], (size_t)tries, sizeof times[1][0], compare_times);
    return (double)times[0][tries / 2] / (double)times[1][tries / 2];
}

static void check_timing(void)
{
    double early = ratio_of(ISG_STR("Bearer xsg_carol"), ISG_STR("Bearer isg_carox"), 20000);
    ok(early > 0.8 && early < 1.25, "R-043: wrong at the first or the last byte: %.3f", early);
    double known = ratio_of(basic(ISG_STR("alice:wrong")), basic(ISG_STR("nobody:wrong")), 12);
    ok(known > 0.7 && known < 1.4, "R-043: a name that is there or not: %.3f", known);
    double fresh = ratio_of(basic(ISG_STR("dora:wrong-1")), basic(ISG_STR("nobody:wrong-1")), 12);
    ok(fresh > 0.7 && fresh < 1.4, "R-043: or one that has two passwords: %.3f", fresh);
}

static void check_rates(void)
{
    struct rate *rate = rate_new();
    int passed = 0;
    for (int i = 0; i < 100; i++)
        passed += rate_take(rate, ISG_STR("a"), 60, 1000000) == 0;
    is_int(passed, 60, "a minute's worth at once");
    is_int((int)rate_take(rate, ISG_STR("a"), 60, 1000000), 1, "then one a second");
    is_int((int)rate_take(rate, ISG_STR("b"), 60, 1000000), 0, "another member is untouched");
    is_int((int)rate_take(rate, ISG_STR("a"), 60, 2000000), 0, "a second later");
    is_int((int)rate_take(rate, ISG_STR("a"), 60, 2000000), 1, "one more, not two");
    is_int((int)rate_take(rate, ISG_STR("a"), 0, 2000000), 0, "no limit is no limit");
    is_int((int)rate_take(rate, ISG_STR("c"), 1, 1000000), 0, "one a minute");
    is_int((int)rate_take(rate, ISG_STR("c"), 1, 1000000), 60, "then a minute to wait");
    rate_free(&rate);
    struct member *alice = (struct member *)(uintptr_t)registry_member(registry, ISG_STR("alice"));
    alice->requests_per_minute = 1;
    is_int((int)auth_admit(auth, alice, 0), 0, "a member's own number");
    ok(auth_admit(auth, alice, 0) > 0, "goes before the setting");
    alice->requests_per_minute = 0;
    ok(auth_admit(auth, alice, 1) == 0 && auth_admit(auth, alice, 1) == 0, "also 0 for no limit");
    alice->requests_per_minute = MEMBER_AS_CONFIGURED;
}

/* a restart does not forget. */
static void check_restart(void)
{
    char dir[] = "/tmp/isg-auth-XXXXXX";
    char path[64];
    struct isg_fail why;
    if (mkdtemp(dir) == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/throttle", dir);
    struct throttle *throttle = throttle_new(secret);
    for (int i = 0; i <= THROTTLE_WRONG; i++)
        (void)throttle_wrong(throttle, 'p', ISG_STR("a"), 5000000);
    is_int(throttle_save(throttle, path, 6000000, &why), ISG_OK, "counts are kept");
    (void)unlink(path);
    is_int(throttle_save(throttle, path, 6000000, &why), ISG_OK, "nothing new");
    ok(access(path, F_OK) != 0, "is not written again");
    (void)throttle_wrong(throttle, 'p', ISG_STR("b"), 6000000);
    is_int(throttle_save(throttle, path, 6000000, &why), ISG_OK, "news are");
    throttle_free(&throttle);
    throttle = throttle_new(secret);
    throttle_load(throttle, path, 9000000);
    ok(throttle_wrong(throttle, 'p', ISG_STR("a"), 9000000) > 50, "R-044: and taken in at a start");
    is_int((int)throttle_wrong(throttle, 'p', ISG_STR("b"), 9000000), 0, "each with its own count");
    throttle_free(&throttle);
    FILE *file = fopen(path, "w");
    (void)fputs("isg-throttle 1 0\nffffffffffffffffffffffffffffffff 1 99\nnonsense\n", file);
    (void)fclose(file);
    throttle = throttle_new(secret);
    throttle_load(throttle, path, 9000000);
    throttle_load(throttle, "/nowhere", 9000000);
    is_int((int)throttle_wrong(throttle, 'p', ISG_STR("a"), 9000000), 0, "old counts are over");
    throttle_free(&throttle);
    file = fopen(path, "w");
    (void)fputs("isg-throttle 1 -9223372036854775808\nffffffffffffffffffffffffffffffff 1 99\n",
                file);
    (void)fclose(file);
    throttle = throttle_new(secret);
    throttle_load(throttle, path, 9000000);
    is_int((int)throttle_wrong(throttle, 'p', ISG_STR("a"), 9000000), 0,
           "a spoilt file is nothing");
    throttle_free(&throttle);
    (void)unlink(path);
    (void)rmdir(dir);
}

static void check_memory(void)
{
    const char *who;
    struct isg_str right = basic(ISG_STR("alice:p:ss w\xc3\xb6rd"));
    auth_free(&auth);
    auth = auth_new(secret);
    is_int(check(right, NULL, "198.51.100.1", false, &who), ISG_EBUSY, "a first login has to wait");
    is_int(check(right, NULL, "198.51.100.1", true, &who), ISG_OK, "and is verified");
    is_int(check(right, NULL, "198.51.100.1", false, &who), ISG_OK, "the next is remembered");
    int64_t start_us = isg_time_mono_us();
    for (int i = 0; i < 1000; i++)
        (void)check(right, NULL, "198.51.100.1", false, &who);
    ok(isg_time_mono_us() - start_us < 20000000, "without argon2id"); /* that would take a minute */
    is_int(check(basic(ISG_STR("alice:p:ss word")), NULL, "198.51.100.1", false, &who), ISG_EBUSY,
           "another password is not");
    struct member *alice = (struct member *)(uintptr_t)registry_member(registry, ISG_STR("alice"));
    alice->stamp++;
    is_int(check(right, NULL, "198.51.100.1", false, &who), ISG_EBUSY,
           "a changed member is verified again");
    alice->stamp--;
}

static void check_throttle(void)
{
    const char *who = "";
    int limited = 0;
    struct isg_str wrong = basic(ISG_STR("mallory:wrong"));
    for (int i = 0; i < THROTTLE_WRONG + 3; i++)
        limited += check(wrong, NULL, "203.0.113.7", true, &who) == ISG_ELIMIT ? 1 : 0;
    is_int(limited, 3, "wrong tries over the bound are told to wait");
    is_str(who, "", "with a time");
    is_int(check(basic(ISG_STR("alice:p:ss w\xc3\xb6rd")), NULL, "203.0.113.7", true, &who), ISG_OK,
           "the right password passes from the same address");
    is_int(check(ISG_STR("Bearer isg_alice"), NULL, "203.0.113.7", false, &who), ISG_OK,
           "the right token too");
    is_int(check(ISG_STR("Bearer no"), NULL, "203.0.113.7", false, &who), ISG_ELIMIT,
           "a wrong token counts with them");
    is_int(check(wrong, NULL, "203.0.113.8", true, &who), ISG_ELIMIT,
           "the name counts from every address (R-044)");
    is_int(check(ISG_STR("Bearer no"), NULL, "203.0.113.9", false, &who), ISG_EAUTH,
           "other addresses are untouched");
    is_int(check((struct isg_str){NULL, 0}, NULL, "203.0.113.7", false, &who), ISG_EAUTH,
           "no credentials are no wrong ones");
    limited = 0;
    for (int i = 0; i < THROTTLE_WRONG + 3; i++) {
        char peer[64];
        (void)snprintf(peer, sizeof peer, "2001:db8:0:7:%x::%x", i, i + 1);
        limited += check(ISG_STR("Bearer no"), NULL, peer, false, &who) == ISG_ELIMIT ? 1 : 0;
    }
    is_int(limited, 3, "all addresses of one IPv6 subscriber count together (R-044)");
    is_int(check(ISG_STR("Bearer no"), NULL, "2001:db8:0:8::1", false, &who), ISG_EAUTH,
           "and the next one's not with them");
}

struct follower {
    struct throttle *throttle;
    const uint8_t *login;
    const atomic_bool *is_over; /* of who went before */
    bool was_over;
};

static void *follow(void *arg)
{
    struct follower *follower = arg;
    (void)throttle_enter(follower->throttle, follower->login);
    follower->was_over = atomic_load(follower->is_over);
    throttle_leave(follower->throttle, follower->login);
    return NULL;
}

/* There is a second place, but not for the login that runs: it would do the same work again. */
static void check_same_login(struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES])
{
    const struct timespec while_ms = {.tv_nsec = 20000000};
    atomic_bool is_over = false;
    struct follower follower = {throttle, login, &is_over, false};
    pthread_t thread;
    (void)throttle_enter(throttle, login);
    ok(pthread_create(&thread, NULL, follow, &follower) == 0, "the same login again");
    (void)nanosleep(&while_ms, NULL); /* the follower may run: it must not get in */
    atomic_store(&is_over, true);
    throttle_leave(throttle, login);
    (void)pthread_join(thread, NULL);
    ok(follower.was_over, "one at a time");
}

static void check_door(void)
{
    static const uint8_t one[TRUST_MAC_BYTES] = {1};
    static const uint8_t two[TRUST_MAC_BYTES] = {2};
    struct throttle *throttle = throttle_new(secret);
    ok(throttle_enter(throttle, one), "one at the door");
    ok(throttle_enter(throttle, two), "two");
    throttle_leave(throttle, one);
    throttle_leave(throttle, two);
    check_same_login(throttle, one);
    unsigned retry_s = 0;
    for (int i = 0; i <= THROTTLE_WRONG; i++)
        retry_s = throttle_wrong(throttle, 'p', ISG_STR("a"), 5000000);
    is_int(retry_s, THROTTLE_WINDOW_S + 1, "the window is told");
    is_int(throttle_wrong(throttle, 'n', ISG_STR("a"), 5000000), 0, "kinds are apart");
    is_int(throttle_wrong(throttle, 'p', ISG_STR("a"), 5000000 + 61000000), 0, "and it ends");
    for (int i = 0; i < 20000; i++) {
        char who[16];
        int n = snprintf(who, sizeof who, "%d", i);
        (void)throttle_wrong(throttle, 'p', (struct isg_str){who, (size_t)n}, 70000000);
    }
    ok(true, "more addresses than it remembers");
    throttle_free(&throttle);
}

/* Many connections with one right login, none remembered yet: nobody is turned away. */
static void *log_in(void *arg)
{
    const char *who = "";
    int *err = arg;
    *err = check(basic(ISG_STR("alice:p:ss w\xc3\xb6rd")), NULL, "203.0.113.20", true, &who);
    return NULL;
}

static void check_crowd(void)
{
    enum { CROWD = 24 };
    pthread_t threads[CROWD];
    int errs[CROWD];
    int good = 0;
    auth_free(&auth);
    auth = auth_new(secret);
    for (int i = 0; i < CROWD; i++)
        ok(pthread_create(&threads[i], NULL, log_in, &errs[i]) == 0, "a connection");
    for (int i = 0; i < CROWD; i++) {
        (void)pthread_join(threads[i], NULL);
        good += errs[i] == ISG_OK;
    }
    is_int(good, CROWD, "all of a crowd with the right password are let in");
}

int main(void)
{
    arena = isg_arena_new(1 << 24);
    open_secret();
    make_registry();
    auth = auth_new(secret);
    ok(auth != NULL, "auth");
    check_schemes();
    check_names();
    check_rotation();
    check_rates();
    check_restart();
    check_memory();
    check_throttle();
    check_door();
    check_crowd();
    check_timing();
    auth_free(&auth);
    registry_unref(&registry);
    trust_secret_free(&secret);
    isg_arena_free(&arena);
    return tap_done();
}
