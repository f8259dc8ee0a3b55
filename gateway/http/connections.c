#include "gateway/http/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "gateway/metrics.h"
#include "stix/base/time.h"

enum { BUCKETS = 1024, KEY_BYTES = 16, TICK_MS = 100 };

struct address { /* how many connections one address (IPv6: one /64) has */
    uint8_t key[KEY_BYTES];
    unsigned count;
    struct address *next;
};

struct connections {
    pthread_mutex_t lock;
    struct connection **by_fd;
    size_t size; /* of by_fd */
    unsigned count;
    uint64_t numbers; /* given so far */
    unsigned max;
    unsigned max_per_address;
    const struct networks *proxies;
    bool only_proxies;
    struct address *buckets[BUCKETS];
    int wake_fd;
    bool wake_wanted;
    bool draining; /* no connection stays idle */

    pthread_t timer;
    pthread_cond_t tick;
    bool watching;
    bool stop;
};

struct connections *connections_new(unsigned max, unsigned max_per_address, int wake_fd)
{
    struct connections *table = calloc(1, sizeof *table);
    pthread_condattr_t attr;
    if (table == NULL)
        return NULL;
    table->max = max;
    table->max_per_address = max_per_address;
    table->wake_fd = wake_fd;
    (void)pthread_mutex_init(&table->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&table->tick, &attr);
    (void)pthread_condattr_destroy(&attr);
    return table;
}

void connections_trust(struct connections *table, const struct networks *proxies, bool only_them)
{
    table->proxies = proxies;
    table->only_proxies = only_them;
}

static void free_addresses(struct connections *table)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (table->buckets[i] != NULL) {
            struct address *gone = table->buckets[i];
            table->buckets[i] = gone->next;
            free(gone);
        }
    }
}

void connections_free(struct connections **table)
{
    struct connections *old = *table;
    *table = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < old->size; i++)
        free(old->by_fd[i]);
    free(old->by_fd);
    free_addresses(old);
    (void)pthread_cond_destroy(&old->tick);
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

/* ---- addresses ---- */

/* False for a Unix socket, which has no address to count by. */
static bool address_key(const struct sockaddr *sa, uint8_t key[KEY_BYTES])
{
    memset(key, 0, KEY_BYTES);
    if (sa->sa_family == AF_INET) {
        memcpy(key + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
        key[10] = key[11] = 0xff;
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    memcpy(key, in6, IN6_IS_ADDR_V4MAPPED(in6) ? 16 : 8);
    return true;
}

static void address_text(const struct sockaddr *sa, char out[PEER_TEXT_BYTES])
{
    const void *bytes = NULL;
    int family = sa->sa_family;
    if (family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    if (family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(in6);
        bytes = mapped ? (const void *)(in6->s6_addr + 12) : in6;
        family = mapped ? AF_INET : AF_INET6;
    }
    if (bytes == NULL || inet_ntop(family, bytes, out, PEER_TEXT_BYTES) == NULL)
        memcpy(out, "unix", sizeof "unix");
}

static struct address **bucket_of(struct connections *table, const uint8_t key[KEY_BYTES])
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < KEY_BYTES; i++)
        hash = (hash ^ key[i]) * UINT32_C(16777619);
    return &table->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* The counter of an address, made if there is none; NULL without memory. */
static struct address *address_of(struct connections *table, const uint8_t key[KEY_BYTES])
{
    struct address **bucket = bucket_of(table, key);
    for (struct address *a = *bucket; a != NULL; a = a->next)
        if (memcmp(a->key, key, KEY_BYTES) == 0)
            return a;
    struct address *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    memcpy(made->key, key, KEY_BYTES);
    made->next = *bucket;
    *bucket = made;
    return made;
}

static void address_leave(struct connections *table, struct address *address)
{
    if (address == NULL || --address->count > 0)
        return;
    struct address **at = bucket_of(table, address->key);
    while (*at != address)
        at = &(*at)->next;
    *at = address->next;
    free(address);
}

/* ---- coming and going ---- */

static bool grow(struct connections *table, int fd)
{
    if ((size_t)fd < table->size)
        return true;
    size_t size = table->size < 64 ? 64 : table->size;
    while (size <= (size_t)fd)
        size *= 2;
    struct connection **more = realloc(table->by_fd, size * sizeof(struct connection *));
    if (more == NULL)
        return false;
    memset(more + table->size, 0, (size - table->size) * sizeof(struct connection *));
    table->by_fd = more;
    table->size = size;
    return true;
}

static void remove_locked(struct connections *table, struct connection *connection)
{
    table->by_fd[connection->fd] = NULL;
    table->count--;
    address_leave(table, connection->address);
    free(connection);
    metric_add(METRIC_HTTP_CONNECTIONS, "", -1);
    if (table->wake_wanted) {
        table->wake_wanted = false;
        (void)eventfd_write(table->wake_fd, 1);
    }
}

/* Linger 0: what is still queued for a peer that does not read is thrown away at close. */
static void shut(struct connection *connection, const char *reason)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (!atomic_load(&connection->idle))
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)shutdown(connection->fd, SHUT_RDWR);
    atomic_store(&connection->deadline, 0);
    atomic_store(&connection->idle, false);
    atomic_store(&connection->fresh, false);
    metric_add(METRIC_HTTP_REFUSED, reason, 1);
}

/* The oldest of an address that is still without a whole head; NULL: all are at work. */
static struct connection *oldest_fresh(const struct connections *table,
                                       const struct address *address)
{
    struct connection *oldest = NULL;
    for (size_t i = 0; i < table->size; i++) {
        struct connection *c = table->by_fd[i];
        if (c != NULL && c->live && c->address == address && atomic_load(&c->fresh) &&
            (oldest == NULL || c->number < oldest->number))
            oldest = c;
    }
    return oldest;
}

/* Room under one address: it has some, or its oldest connection without a head gives way. */
static bool make_room(struct connections *table, struct address *address)
{
    if (table->max_per_address == 0 || address->count < table->max_per_address)
        return true;
    struct connection *oldest = oldest_fresh(table, address);
    if (oldest == NULL)
        return false;
    shut(oldest, "reason=\"address\"");
    oldest->address = NULL; /* counted no more, though the library has yet to close it */
    address->count--;
    return true;
}

static enum connections_refusal insert(struct connections *table, int fd, const struct sockaddr *sa,
                                       struct connection *made)
{
    uint8_t key[KEY_BYTES];
    if (!grow(table, fd))
        return CONNECTIONS_MEMORY;
    if (table->by_fd[fd] != NULL) /* the library closed it before it told us */
        remove_locked(table, table->by_fd[fd]);
    if (table->count >= table->max)
        return CONNECTIONS_FULL;
    if (!made->proxy && address_key(sa, key)) {
        made->address = address_of(table, key);
        if (made->address == NULL)
            return CONNECTIONS_MEMORY;
        if (!make_room(table, made->address))
            return CONNECTIONS_ADDRESS;
        made->address->count++;
    }
    made->number = table->numbers++;
    table->by_fd[fd] = made;
    table->count++;
    metric_add(METRIC_HTTP_CONNECTIONS, "", 1);
    return CONNECTIONS_OK;
}

enum connections_refusal connections_add(struct connections *table, int fd,
                                         const struct sockaddr *address, struct connection **out)
{
    struct connection *made = calloc(1, sizeof *made);
    if (made == NULL)
        return CONNECTIONS_MEMORY;
    made->fd = fd;
    atomic_init(&made->deadline, 0);
    atomic_init(&made->idle, false);
    atomic_init(&made->fresh, true);
    address_text(address, made->peer);
    made->proxy = networks_have(table->proxies, isg_str_of(made->peer));
    if (table->only_proxies && !made->proxy && !networks_is_loopback(isg_str_of(made->peer))) {
        free(made);
        return CONNECTIONS_STRANGER;
    }
    (void)pthread_mutex_lock(&table->lock);
    enum connections_refusal refusal = insert(table, fd, address, made);
    (void)pthread_mutex_unlock(&table->lock);
    if (refusal != CONNECTIONS_OK)
        free(made);
    else
        *out = made;
    return refusal;
}

bool connections_has_room(struct connections *table)
{
    (void)pthread_mutex_lock(&table->lock);
    bool room = table->count < table->max;
    table->wake_wanted = !room;
    (void)pthread_mutex_unlock(&table->lock);
    return room;
}

struct connection *connections_start(struct connections *table, int fd, int64_t deadline_us)
{
    (void)pthread_mutex_lock(&table->lock);
    struct connection *connection = (size_t)fd < table->size ? table->by_fd[fd] : NULL;
    if (connection != NULL) {
        connection->live = true;
        atomic_store(&connection->deadline, deadline_us);
    }
    (void)pthread_mutex_unlock(&table->lock);
    return connection;
}

void connections_deadline(struct connection *connection, int64_t deadline_us)
{
    atomic_store(&connection->deadline, deadline_us);
}

void connections_remove(struct connections *table, struct connection *connection)
{
    (void)pthread_mutex_lock(&table->lock);
    remove_locked(table, connection);
    (void)pthread_mutex_unlock(&table->lock);
}

unsigned connections_count(struct connections *table)
{
    (void)pthread_mutex_lock(&table->lock);
    unsigned count = table->count;
    (void)pthread_mutex_unlock(&table->lock);
    return count;
}

void connections_shut_idle(struct connections *table)
{
    (void)pthread_mutex_lock(&table->lock);
    table->draining = true;
    (void)pthread_cond_signal(&table->tick);
    (void)pthread_mutex_unlock(&table->lock);
}

/* ---- the timer ---- */

static bool is_overdue(const struct connections *table, struct connection *connection, int64_t now)
{
    int64_t deadline = atomic_load(&connection->deadline);
    return (deadline != 0 && now >= deadline) ||
           (table->draining && atomic_load(&connection->idle));
}

static void sweep(struct connections *table)
{
    int64_t now = isg_time_mono_us();
    for (size_t i = 0; i < table->size; i++) {
        struct connection *connection = table->by_fd[i];
        if (connection != NULL && connection->live && is_overdue(table, connection, now))
            shut(connection, "reason=\"deadline\"");
    }
}

static void *run_timer(void *arg)
{
    struct connections *table = arg;
    (void)pthread_mutex_lock(&table->lock);
    while (!table->stop) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&table->tick, &table->lock, &until);
        sweep(table);
    }
    (void)pthread_mutex_unlock(&table->lock);
    return NULL;
}

bool connections_watch(struct connections *table)
{
    table->watching = pthread_create(&table->timer, NULL, run_timer, table) == 0;
    return table->watching;
}

void connections_unwatch(struct connections *table)
{
    if (!table->watching)
        return;
    (void)pthread_mutex_lock(&table->lock);
    table->stop = true;
    (void)pthread_cond_signal(&table->tick);
    (void)pthread_mutex_unlock(&table->lock);
    (void)pthread_join(table->timer, NULL);
    table->watching = false;
}
