#include "gateway/share/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
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
    size_t waiting; /* at the door to argon2id */
    unsigned running;
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
    int64_t left_us = count->window_us + (int64_t)THROTTLE_WINDOW_S * 1000000 - now_us;
    unsigned retry_s = count->wrong > THROTTLE_WRONG ? (unsigned)(left_us / 1000000) + 1 : 0;
    (void)pthread_mutex_unlock(&throttle->lock);
    return retry_s;
}

bool throttle_enter(struct throttle *throttle)
{
    (void)pthread_mutex_lock(&throttle->lock);
    bool room = throttle->waiting < WAITING_MAX;
    if (room) {
        throttle->waiting++;
        while (throttle->running >= RUNNING_MAX)
            (void)pthread_cond_wait(&throttle->free_place, &throttle->lock);
        throttle->waiting--;
        throttle->running++;
    }
    (void)pthread_mutex_unlock(&throttle->lock);
    return room;
}

void throttle_leave(struct throttle *throttle)
{
    (void)pthread_mutex_lock(&throttle->lock);
    throttle->running--;
    (void)pthread_cond_signal(&throttle->free_place);
    (void)pthread_mutex_unlock(&throttle->lock);
}
