#include "stix/names.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "stix/base/err.h"
#include "stix/lex.h"

enum { FEW = 16 };

/* One random number for the process; who comes second takes the first one's. */
static uint64_t seed_of_process(void)
{
    static _Atomic uint64_t seed;
    uint64_t known = atomic_load_explicit(&seed, memory_order_relaxed);
    if (known != 0)
        return known;
    uint64_t fresh;
    if (getrandom(&fresh, sizeof fresh, GRND_NONBLOCK) != (ssize_t)sizeof fresh) {
        /* Before the kernel has entropy: better a guessable seed than none. */
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        fresh = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)&seed;
    }
    fresh |= 1;
    return atomic_compare_exchange_strong(&seed, &known, fresh) ? fresh : known;
}

void stix_names_init(struct stix_names *names)
{
    names->seed = seed_of_process();
    names->all = names->room;
    names->count = 0;
    names->cap = STIX_NAMES_INLINE;
    isg_buf_init(&names->scratch, ISG_BUF_NO_MAX);
}

void stix_names_done(struct stix_names *names)
{
    if (names->all != names->room)
        free(names->all);
    isg_buf_done(&names->scratch);
}

void stix_names_open(const struct stix_names *names, struct stix_scope *scope)
{
    *scope = (struct stix_scope){.first = names->count};
}

void stix_names_close(struct stix_names *names, struct stix_scope *scope)
{
    free(scope->slots);
    scope->slots = NULL;
    names->count = scope->first;
}

__extension__ typedef unsigned __int128 wide;

/* The two halves of a 128-bit product, folded: every bit of one factor reaches every bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(uint64_t seed, struct isg_str s)
{
    static const uint64_t spread = 0x9e3779b97f4a7c15u;
    uint64_t hash = seed ^ (s.n * spread);
    uint64_t word;
    for (; s.n >= sizeof word; s.p += sizeof word, s.n -= sizeof word) {
        memcpy(&word, s.p, sizeof word);
        hash = fold(hash ^ word, seed ^ spread);
    }
    word = 0;
    memcpy(&word, s.p, s.n);
    return fold(hash ^ word, seed ^ spread);
}

static bool is_escaped(struct isg_str raw)
{
    return memchr(raw.p, '\\', raw.n) != NULL;
}

/* Equal hashes are rarely different names, so this may be slow. */
static int same_name(struct isg_str a, struct isg_str b, bool *out_same)
{
    if (!is_escaped(a) && !is_escaped(b)) {
        *out_same = isg_str_eq(a, b);
        return ISG_OK;
    }
    struct isg_buf text_a;
    struct isg_buf text_b;
    isg_buf_init(&text_a, ISG_BUF_NO_MAX);
    isg_buf_init(&text_b, ISG_BUF_NO_MAX);
    stix_lex_unescape(a, &text_a);
    stix_lex_unescape(b, &text_b);
    int err = text_a.err != ISG_OK ? text_a.err : text_b.err;
    *out_same = isg_str_eq(isg_buf_str(&text_a), isg_buf_str(&text_b));
    isg_buf_done(&text_a);
    isg_buf_done(&text_b);
    return err;
}

static int differs(const struct stix_name *have, const struct stix_name *offer)
{
    bool same = false;
    if (have->hash != offer->hash)
        return ISG_OK;
    int err = same_name(have->raw, offer->raw, &same);
    return err == ISG_OK && same ? ISG_ECONFLICT : err;
}

static void put_slot(struct stix_scope *scope, uint64_t hash, size_t index)
{
    size_t at = (size_t)hash & scope->mask;
    while (scope->slots[at] != 0)
        at = (at + 1) & scope->mask;
    scope->slots[at] = (uint32_t)index + 1;
}

/* Four slots a name when made, two when it is time for the next. */
static int make_table(const struct stix_names *names, struct stix_scope *scope)
{
    size_t size = (size_t)4 * FEW;
    while (size < 4 * (names->count - scope->first))
        size *= 2;
    free(scope->slots);
    scope->slots = calloc(size, sizeof *scope->slots);
    scope->mask = size - 1;
    if (scope->slots == NULL)
        return ISG_ENOMEM;
    for (size_t i = scope->first; i < names->count; i++)
        put_slot(scope, names->all[i].hash, i);
    return ISG_OK;
}

static int look_up(const struct stix_names *names, const struct stix_scope *scope,
                   const struct stix_name *name)
{
    int err = ISG_OK;
    if (scope->slots == NULL) {
        for (size_t i = scope->first; err == ISG_OK && i < names->count; i++)
            err = differs(&names->all[i], name);
        return err;
    }
    for (size_t at = (size_t)name->hash & scope->mask; err == ISG_OK && scope->slots[at] != 0;
         at = (at + 1) & scope->mask)
        err = differs(&names->all[scope->slots[at] - 1], name);
    return err;
}

static int make_room(struct stix_names *names)
{
    if (names->count < names->cap)
        return ISG_OK;
    if (names->count > UINT32_MAX / 2)
        return ISG_ENOMEM;
    struct stix_name *old = names->all == names->room ? NULL : names->all;
    struct stix_name *all = realloc(old, 2 * names->cap * sizeof *all);
    if (all == NULL)
        return ISG_ENOMEM;
    if (old == NULL)
        memcpy(all, names->room, sizeof names->room);
    names->all = all;
    names->cap *= 2;
    return ISG_OK;
}

static int hash_raw(struct stix_names *names, struct isg_str raw, uint64_t *out)
{
    if (!is_escaped(raw)) {
        *out = hash_of(names->seed, raw);
        return ISG_OK;
    }
    isg_buf_reset(&names->scratch);
    stix_lex_unescape(raw, &names->scratch);
    *out = hash_of(names->seed, isg_buf_str(&names->scratch));
    return names->scratch.err;
}

int stix_names_add(struct stix_names *names, struct stix_scope *scope, struct isg_str raw)
{
    struct stix_name name = {.raw = raw};
    int err = hash_raw(names, raw, &name.hash);
    if (err == ISG_OK)
        err = look_up(names, scope, &name);
    if (err == ISG_OK)
        err = make_room(names);
    if (err != ISG_OK)
        return err;
    names->all[names->count++] = name;
    size_t own = names->count - scope->first;
    if (scope->slots != NULL && own <= scope->mask / 2) {
        put_slot(scope, name.hash, names->count - 1);
        return ISG_OK;
    }
    return own > FEW ? make_table(names, scope) : ISG_OK;
}
