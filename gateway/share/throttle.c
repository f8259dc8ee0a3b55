#include "gateway/share/throttle.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/base/time.h"

static const char file_head[] = "isg-throttle 1 ";

enum {
    FILE_MAX = 1 << 20,
    SETS = 1024, /* times WAYS keys are remembered */
    WAYS = 4,
    KEY_BYTES = 16,
    RUNNING_MAX = 2,  /* argon2id takes a core and 64 MiB each */
    WAITING_MAX = 256 /* more than there are workers: a bound, not a refusal of right passwords */
};

struct count {
    uint8_t key[KEY_BYTES];
    int64_t window_us; /* when the window began; 0: the entry is free */
    unsigned wrong;
};

struct throttle {
    const struct trust_secret *secret;
    pthread_mutex_t lock;
    pthread_cond_t free_place;
    struct count counts[SETS][WAYS];
    bool news;      /* since the last save */
    size_t waiting; /* at the door to argon2id */
    unsigned running;
    uint8_t inside[RUNNING_MAX][TRUST_MAC_BYTES]; /* logins of those who run */
};

struct throttle *throttle_new(const struct trust_secret *secret)
{
    struct throttle *throttle = calloc(1, sizeof *throttle);
    if (throttle == NULL)
        return NULL;
    throttle->secret = secret;
    (void)pthread_mutex_init(&throttle->lock, NULL);
    (void)pthread_cond_init(&throttle->free_place, NULL);
    return throttle;
}

void throttle_free(struct throttle **throttle)
{
    if (throttle == NULL || *throttle == NULL)
        return;
    (void)pthread_mutex_destroy(&(*throttle)->lock);
    (void)pthread_cond_destroy(&(*throttle)->free_place);
    free(*throttle);
    *throttle = NULL;
}

/* Keyed, so that nobody can choose names that push others out of the table. */
static void key_of(const struct throttle *throttle, char kind, struct isg_str who,
                   uint8_t key[KEY_BYTES])
{
    uint8_t mac[TRUST_MAC_BYTES];
    trust_mac(throttle->secret, kind == 'p' ? "throttle-peer" : "throttle-name", who, mac);
    memcpy(key, mac, KEY_BYTES);
}

static bool is_over(const struct count *count, int64_t now_us)
{
    return count->window_us == 0 ||
           now_us - count->window_us >= (int64_t)THROTTLE_WINDOW_S * 1000000;
}

/* The entry of key, else one that is over, else the one with the fewest wrong tries. */
static struct count *entry_of(struct throttle *throttle, const uint8_t key[KEY_BYTES],
                              int64_t now_us)
{
    struct count *set = throttle->counts[(key[0] << 8 | key[1]) % SETS];
    struct count *victim = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(set[i].key, key, KEY_BYTES) == 0 && !is_over(&set[i], now_us))
            return &set[i];
        unsigned weight = is_over(&set[i], now_us) ? 0 : set[i].wrong;
        if (weight < (is_over(victim, now_us) ? 0 : victim->wrong))
            victim = &set[i];
    }
    memcpy(victim->key, key, KEY_BYTES);
    victim->window_us = now_us;
    victim->wrong = 0;
    return victim;
}

unsigned throttle_wrong(struct throttle *throttle, char kind, struct isg_str who, int64_t now_us)
{
    uint8_t key[KEY_BYTES];
    key_of(throttle, kind, who, key);
    (void)pthread_mutex_lock(&throttle->lock);
    struct count *count = entry_of(throttle, key, now_us);
    if (count->wrong < UINT32_MAX)
        count->wrong++;
    throttle->news = true;
    int64_t left_us = count->window_us + (int64_t)THROTTLE_WINDOW_S * 1000000 - now_us;
    unsigned retry_s = count->wrong > THROTTLE_WRONG ? (unsigned)(left_us / 1000000) + 1 : 0;
    (void)pthread_mutex_unlock(&throttle->lock);
    return retry_s;
}

/* ---- across a restart ----------------------------------------------------------------------- */

/* A line a count: key, age of its window in milliseconds, wrong tries. Under the lock. */
static void write_counts(const struct throttle *throttle, int64_t now_us, struct isg_buf *out)
{
    isg_buf_printf(out, "%s%lld\n", file_head, (long long)isg_time_now_us());
    for (size_t set = 0; set < SETS; set++) {
        for (size_t way = 0; way < WAYS; way++) {
            const struct count *count = &throttle->counts[set][way];
            char key[2 * KEY_BYTES + 1];
            if (is_over(count, now_us))
                continue;
            isg_hex_encode(count->key, KEY_BYTES, key);
            isg_buf_printf(out, "%s %lld %u\n", key,
                           (long long)((now_us - count->window_us) / 1000), count->wrong);
        }
    }
}

static int write_file(const char *path, struct isg_str text, struct isg_fail *why)
{
    char fresh[4096];
    int n = snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = n > 0 && (size_t)n < sizeof fresh ? fopen(fresh, "we") : NULL;
    if (file == NULL)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    bool whole = fwrite(text.p, 1, text.n, file) == text.n;
    whole = fclose(file) == 0 && whole;
    if (!whole || rename(fresh, path) != 0)
        return isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    return ISG_OK;
}

int throttle_save(struct throttle *throttle, const char *path, int64_t now_us, struct isg_fail *why)
{
    struct isg_buf text;
    isg_buf_init(&text, FILE_MAX);
    (void)pthread_mutex_lock(&throttle->lock);
    bool news = throttle->news;
    throttle->news = false;
    if (news)
        write_counts(throttle, now_us, &text);
    (void)pthread_mutex_unlock(&throttle->lock);
    int err = ISG_OK;
    if (news)
        err = text.err == ISG_OK ? write_file(path, isg_buf_str(&text), why)
                                 : isg_fail(why, text.err, "no memory");
    isg_buf_done(&text);
    return err;
}

static void take_line(struct throttle *throttle, struct isg_str line, int64_t away_us,
                      int64_t now_us)
{
    uint8_t key[KEY_BYTES];
    struct isg_str hex, age;
    uint64_t age_ms, wrong;
    if (!isg_str_split(&line, ' ', &hex) || !isg_str_split(&line, ' ', &age) ||
        !isg_hex_decode(hex, key, sizeof key) ||
        !isg_str_to_u64(age, (uint64_t)THROTTLE_WINDOW_S * 1000, &age_ms) ||
        !isg_str_to_u64(line, UINT32_MAX, &wrong))
        return;
    struct count old = {.window_us = now_us - (int64_t)age_ms * 1000 - away_us,
                        .wrong = (unsigned)wrong};
    if (is_over(&old, now_us))
        return;
    struct count *count = entry_of(throttle, key, now_us);
    count->window_us = old.window_us;
    count->wrong = old.wrong;
}

void throttle_load(struct throttle *throttle, const char *path, int64_t now_us)
{
    char line[128];
    int64_t saved_us;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    struct isg_str head = ISG_STR(file_head);
    if (fgets(line, sizeof line, file) != NULL && isg_str_starts(isg_str_of(line), head) &&
        isg_str_to_i64(isg_str_trim(isg_str_of(line + head.n)), &saved_us) && saved_us >= 0) {
        int64_t away_us = isg_time_now_us() - saved_us;
        (void)pthread_mutex_lock(&throttle->lock);
        while (fgets(line, sizeof line, file) != NULL)
            take_line(throttle, isg_str_trim(isg_str_of(line)), away_us > 0 ? away_us : 0, now_us);
        (void)pthread_mutex_unlock(&throttle->lock);
    }
    (void)fclose(file);
}

/* ---- the door ------------------------------------------------------------------------------- */

/* May this login run now (lock held)? */
static bool has_place(const struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES])
{
    for (unsigned i = 0; i < throttle->running; i++)
        if (trust_mac_equal(throttle->inside[i], login))
            return false;
    return throttle->running < RUNNING_MAX;
}

bool throttle_enter(struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES])
{
    (void)pthread_mutex_lock(&throttle->lock);
    bool room = throttle->waiting < WAITING_MAX;
    if (room) {
        throttle->waiting++;
        while (!has_place(throttle, login))
            (void)pthread_cond_wait(&throttle->free_place, &throttle->lock);
        throttle->waiting--;
        memcpy(throttle->inside[throttle->running++], login, TRUST_MAC_BYTES);
    }
    (void)pthread_mutex_unlock(&throttle->lock);
    return room;
}

void throttle_leave(struct throttle *throttle, const uint8_t login[TRUST_MAC_BYTES])
{
    unsigned i = 0;
    (void)pthread_mutex_lock(&throttle->lock);
    while (!trust_mac_equal(throttle->inside[i], login))
        i++;
    memmove(throttle->inside[i], throttle->inside[--throttle->running], TRUST_MAC_BYTES);
    (void)pthread_cond_broadcast(&throttle->free_place);
    (void)pthread_mutex_unlock(&throttle->lock);
}
