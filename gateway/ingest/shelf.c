/*
 * The documents of parts that a batch reads and changes: read with one call where they are known
 * beforehand, each once, and put back with one, if by then they are as they were read.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/ingest/run.h"

/* of a batch: an object's parts, the scores beside them, and the version of its document */
enum { SHELF_DOCS = 2 * RUN_BATCH + 16 };

/* What a part points to. */
struct owned {
    char *name;
    char *after;
    uint64_t hash; /* of the name */
};

struct facet_shelf {
    struct store_part parts[SHELF_DOCS];
    struct owned owned[SHELF_DOCS];
    size_t count;
    uint64_t mark;
};

static uint64_t hash_of(struct isg_str name)
{
    uint64_t h = 1469598103934665603U;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 1099511628211U;
    return h;
}

static struct store_part *find(struct facet_shelf *shelf, struct isg_str name)
{
    uint64_t hash = hash_of(name);
    for (size_t i = 0; i < shelf->count; i++) {
        if (shelf->owned[i].hash == hash && isg_str_eq(shelf->parts[i].name, name))
            return &shelf->parts[i];
    }
    return NULL;
}

static int no_memory(struct isg_fail *why)
{
    return isg_fail(why, ISG_ENOMEM, "no memory for an object's parts");
}

static int shelf_of(struct ingest_run *run, struct facet_shelf **out, struct isg_fail *why)
{
    if (run->facets == NULL)
        run->facets = calloc(1, sizeof *run->facets);
    *out = run->facets;
    return *out != NULL ? ISG_OK : no_memory(why);
}

/* The document of that name, an empty one where it is not here yet. */
static int place(struct facet_shelf *shelf, struct isg_str name, struct store_part **out,
                 struct isg_fail *why)
{
    *out = find(shelf, name);
    if (*out != NULL)
        return ISG_OK;
    char *copy = shelf->count < SHELF_DOCS ? malloc(name.n + 1) : NULL;
    if (copy == NULL)
        return no_memory(why);
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    *out = &shelf->parts[shelf->count];
    **out = (struct store_part){.name = {copy, name.n}};
    isg_buf_init(&(*out)->before, ISG_BUF_NO_MAX);
    shelf->owned[shelf->count++] = (struct owned){.name = copy, .hash = hash_of(name)};
    return ISG_OK;
}

static void part_done(struct facet_shelf *shelf, size_t i)
{
    free(shelf->owned[i].name);
    free(shelf->owned[i].after);
    isg_buf_done(&shelf->parts[i].before);
}

void facet_name(const struct ingest_run *run, const struct staged *staged, struct isg_buf *out)
{
    isg_buf_printf(out, "%s/%s", run->collection->id, staged->id);
}

/* The documents the staged parts are of. */
static int place_all(struct ingest_run *run, const struct staged *staged, size_t n,
                     struct isg_fail *why)
{
    struct store_part *part;
    int err = ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < n; i++) {
        struct isg_buf name;
        if (staged[i].facet == NULL)
            continue;
        isg_buf_init(&name, 1024);
        facet_name(run, &staged[i], &name);
        err = name.err != ISG_OK ? no_memory(why)
                                 : place(run->facets, isg_buf_str(&name), &part, why);
        isg_buf_done(&name);
    }
    return err;
}

/* The run's part of that name, an empty one where there was none yet. */
static int part_of(struct ingest_run *run, struct isg_str name, struct facet_shelf **shelf,
                   struct store_part **part, struct isg_fail *why)
{
    int err = shelf_of(run, shelf, why);
    return err == ISG_OK ? place(*shelf, name, part, why) : err;
}

int facet_open(struct ingest_run *run, const struct staged *staged, size_t n, struct isg_fail *why)
{
    struct facet_shelf *shelf = NULL;
    int err = shelf_of(run, &shelf, why);
    size_t kept = err == ISG_OK ? shelf->count : 0;
    if (err == ISG_OK)
        err = place_all(run, staged, n, why);
    return err == ISG_OK ? store_parts_read(run->store, run->collection->id, &shelf->parts[kept],
                                            shelf->count - kept, &shelf->mark, why)
                         : err;
}

int facet_read(struct ingest_run *run, struct isg_str name, struct isg_str *out,
               struct isg_fail *why)
{
    struct facet_shelf *shelf = NULL;
    struct store_part *part = NULL;
    int err = part_of(run, name, &shelf, &part, why);
    if (err == ISG_OK && !part->read && part->after.p == NULL) {
        err = store_doc_get(run->store, STORE_FACET, name, &part->before, why);
        part->there = err == ISG_OK;
        part->read = err == ISG_OK || err == ISG_ENOENT;
        err = err == ISG_ENOENT ? ISG_OK : err;
    }
    *out = (struct isg_str){NULL, 0};
    if (err == ISG_OK && part->after.p != NULL)
        *out = part->after;
    else if (err == ISG_OK && part->there)
        *out = isg_buf_str(&part->before);
    return err;
}

int facet_keep(struct ingest_run *run, struct isg_str name, struct isg_buf *text,
               struct isg_fail *why)
{
    struct facet_shelf *shelf = NULL;
    struct store_part *part = NULL;
    int err = part_of(run, name, &shelf, &part, why);
    if (err != ISG_OK)
        return err;
    struct owned *owned = &shelf->owned[part - shelf->parts];
    size_t n = 0;
    free(owned->after);
    owned->after = isg_buf_take(text, &n);
    part->after = (struct isg_str){owned->after, n};
    return owned->after != NULL ? ISG_OK : no_memory(why);
}

/* All that was read goes; what is to be written whatever is there stays, for another try. */
static void forget_read(struct facet_shelf *shelf)
{
    size_t kept = 0;
    for (size_t i = 0; i < shelf->count; i++) {
        if (shelf->parts[i].read) {
            part_done(shelf, i);
        } else {
            shelf->owned[kept] = shelf->owned[i];
            shelf->parts[kept++] = shelf->parts[i];
        }
    }
    shelf->count = kept;
}

/* A crash between this and the commit is made good by the next import, which renders and compares
 * whatever the documents say. */
int facet_close(struct ingest_run *run, bool keep, struct isg_fail *why)
{
    struct facet_shelf *shelf = run->facets;
    int err = ISG_OK;
    if (shelf == NULL)
        return ISG_OK;
    if (keep && !run->dry_run)
        err = store_parts_swap(run->store, run->collection->id, shelf->parts, shelf->count,
                               shelf->mark, why);
    if (err == ISG_EBUSY) {
        forget_read(shelf);
        return err;
    }
    for (size_t i = 0; i < shelf->count; i++)
        part_done(shelf, i);
    free(shelf);
    run->facets = NULL;
    return err;
}
