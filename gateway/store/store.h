/*
 * The store, by meaning: small documents (members, collections, feeds), the statuses of pushes, and
 * the collections' logs. Nothing of Redis shows here; redis.c is the only file that knows hiredis.
 *
 * A collection is an append-only log of visibility events. An event has a position (1, 2, 3, ...),
 * a date_added (strictly rising microseconds), an object version and a label: what policy needs to
 * know of it, interned per collection. Objects are canonical bytes named by their SHA-256. Events
 * are never moved; they can become dead (deleted) or superseded (a newer version exists).
 *
 * All functions are safe from every thread and may wait for Redis, but never longer than the
 * configured time-out; a dead Redis trips a breaker and they fail at once with ISG_ESTORE.
 */
#ifndef GATEWAY_STORE_STORE_H
#define GATEWAY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/base/uuid.h"

enum { STORE_SCHEMA = 4 }; /* version of the layout of keys, kept in the store */

struct store;

struct store_options {
    const char *dir;           /* instance directory: the private server's socket, AOF, lock */
    const char *url;           /* NULL: start the private server; else unix:/path, redis://h:p */
    const char *password_file; /* may be NULL */
    const char *accept_plain;  /* HOST:PORT off loopback accepted without TLS; may be NULL */
    unsigned timeout_ms;       /* of one call; 0: 4000 */
    unsigned batch_ms;         /* how long a commit waits for company; 0: do not wait */
    bool second;               /* the server syncs once a second, not before each reply */
    unsigned replicas;         /* that acknowledge writes of `replica`; 0: there are none */
};

/* What stands behind a success: named by collection, and never more than the server gives. */
enum store_durability {
    STORE_DISK,    /* the server's AOF was synced before it answered */
    STORE_REPLICA, /* so many replicas have it in memory; the AOF is synced within a second */
    STORE_SECOND   /* the AOF is synced within a second: a power cut may take that much */
};

/*
 * Open the store; starts the private redis-server where url is NULL, and keeps it running: a thread
 * of the store owns the child, which ends with the process. Two locks in DIR/redis keep a second
 * server off the same AOF; one that a killed gateway left behind is ended first.
 *
 * Returns ISG_OK; ISG_ESTORE (cannot start, cannot connect, wrong schema, plain TCP off loopback),
 * ISG_EBUSY (another gateway runs this instance), ISG_EIO, ISG_ENOMEM.
 */
int store_open(const struct store_options *options, struct store **out, struct isg_fail *why);
/* Wait for commits under way, stop the private server. Accepts NULL, leaves NULL. */
void store_close(struct store **store);

/* ISG_OK when the store answers now and takes a write: a replica, a full memory or a disk that
 * fails are ISG_ESTORE with the reason. Does not wait when the breaker is open. */
int store_ping(struct store *store, struct isg_fail *why);

/* State of the breaker: "closed", "loading" or "open" (calls fail at once). */
const char *store_breaker(struct store *store);

/* What `isg doctor` looks at: append a JSON object (version, persistence, durable, memory, role). */
int store_describe(struct store *store, struct isg_buf *out, struct isg_fail *why);

/* ISG_OK, or ISG_EINVAL with the reason: a collection may demand that much of this server. */
int store_gives(const struct store *store, enum store_durability durability, struct isg_fail *why);

/*
 * Hold commits of a collection to it from now on. ISG_EINVAL (impossible name); ISG_ESTORE where
 * the server does not give it: better nothing is taken than less is promised.
 */
int store_demand(struct store *store, const char *collection, enum store_durability durability,
                 struct isg_fail *why);

/* ---- small documents ------------------------------------------------------------------------ */

enum store_doc {
    STORE_MEMBER,
    STORE_COLLECTION,
    STORE_FEED,       /* a source made by command */
    STORE_FEED_STATE, /* validators, cursors, last error of a feed or peer */
    STORE_FACET,      /* a source's own part of an object that several sources describe */
    STORE_DOC_COUNT
};

/* Put the JSON text of a document, in place of one of this kind and name. */
int store_doc_put(struct store *store, enum store_doc kind, struct isg_str name,
                  struct isg_str json, struct isg_fail *why);
/* A document to put: its name and JSON text, both borrowed. */
struct store_doc_text {
    struct isg_str name;
    struct isg_str json;
};

/* Put several documents of a kind at once: all of them or none. */
int store_docs_put(struct store *store, enum store_doc kind, const struct store_doc_text *docs,
                   size_t count, struct isg_fail *why);
/* Append that text to out. ISG_ENOENT when it is not there. */
int store_doc_get(struct store *store, enum store_doc kind, struct isg_str name,
                  struct isg_buf *out, struct isg_fail *why);
/* Take it away. ISG_ENOENT when it was not there. */
int store_doc_remove(struct store *store, enum store_doc kind, struct isg_str name,
                     struct isg_fail *why);

/*
 * Documents of STORE_FACET that are read, changed and put back together. What is put back stands
 * only if what was read still does: gateways that change the same ones exclude each other.
 */
struct store_part {
    struct isg_str name;
    struct isg_buf before; /* as read */
    bool there;            /* it was there when it was read; else before is empty */
    bool read;             /* false: put back whatever is there by now */
    struct isg_str after;  /* p NULL: stays as it is */
};

/* Read n documents at once, each into its before, and remember in *out_mark how all those of the
 * collection stand. n may be 0. ISG_ESTORE, ISG_ENOMEM. */
int store_parts_read(struct store *store, const char *collection, struct store_part *parts,
                     size_t n, uint64_t *out_mark, struct isg_fail *why);

/*
 * Put all back, or none. ISG_EBUSY: one of them was changed since they were read (or it is not known
 * whether they were put back): read again. Where none has an after it is only looked whether they
 * stand. ISG_ESTORE, ISG_ENOMEM.
 */
int store_parts_swap(struct store *store, const char *collection, const struct store_part *parts,
                     size_t n, uint64_t mark, struct isg_fail *why);

/*
 * Put a member or a collection that was decided upon the documents of this generation. ISG_EBUSY:
 * they have changed since, nothing was written. ISG_ESTORE may leave it open whether it was.
 */
int store_doc_swap(struct store *store, enum store_doc kind, struct isg_str name,
                   struct isg_str json, uint64_t generation, struct isg_fail *why);

/* Call each(arg, name, json) for every document of a kind, in byte order of the names. */
int store_doc_each(struct store *store, enum store_doc kind,
                   int (*each)(void *arg, struct isg_str name, struct isg_str json), void *arg,
                   struct isg_fail *why);

/* A number that rises with every change of members and collections, by any gateway. */
int store_docs_generation(struct store *store, uint64_t *out, struct isg_fail *why);

/*
 * What all gateways on one store must have alike: the first one's value of name is kept. *out_same
 * is false where another value is kept already.
 */
int store_agree(struct store *store, struct isg_str name, struct isg_str value, bool *out_same,
                struct isg_fail *why);

/* ---- what was lost -------------------------------------------------------------------------- */

enum { STORE_SURVEY_TEXT = 128 };

/* Keys of a log that should be there and are not: nobody but somebody else deletes them. */
struct store_survey {
    uint64_t events;               /* of the log */
    uint64_t seen;                 /* of them; fewer where the patience was over */
    uint64_t lost_records;         /* events whose record is gone: what they were is not known */
    uint64_t lost_objects;         /* living events without their bytes: read as deleted */
    uint64_t lost_entries;         /* living events that are not found by id any more */
    uint64_t lost_labels;          /* texts of labels: their events are shown to nobody */
    char first[STORE_SURVEY_TEXT]; /* an id of one of them, "" where none is known; may be cut */
};

/*
 * Compare a log with what Redis holds, past all memory: two look-ups an event. Stops, with what it
 * has seen, after patience_ms. ISG_EINVAL (impossible name), ISG_ESTORE, ISG_ENOMEM.
 */
int store_survey(struct store *store, const char *collection, unsigned patience_ms,
                 struct store_survey *out, struct isg_fail *why);

/* ---- statuses ------------------------------------------------------------------------------- */

/* Keep a status resource for ttl_s seconds. owner is the member who may read it. */
int store_status_put(struct store *store, const char *id, struct isg_str owner, struct isg_str json,
                     uint32_t ttl_s, struct isg_fail *why);
/* Append owner and text. ISG_ENOENT: unknown, or its time is over. */
int store_status_get(struct store *store, struct isg_str id, struct isg_buf *out_owner,
                     struct isg_buf *out_json, struct isg_fail *why);

/* ---- pushes that wait ----------------------------------------------------------------------- */

enum {
    STORE_JOBS_MAX = 64,    /* that wait at once; their bytes are in Redis' memory */
    STORE_JOBS_OF_ONE = 16, /* of one member, so that all others find room */
};

/*
 * A large push: it is kept whole, in pieces, before it is acknowledged, and worked off later by
 * whichever gateway holds its lease. What became of each piece (lines, as the writer likes) is
 * read as its status.
 */
struct store_job {
    const char *id;
    const char *collection;       /* whose durability it is kept with (store_demand) */
    struct isg_str about;         /* who pushed what to where */
    const struct isg_str *pieces; /* n of each */
    const struct isg_str *lines;
    size_t n;
    struct isg_str member; /* counted by it; empty: only with all */
};

/* Keep it, durably and as a whole. ISG_EBUSY: STORE_JOBS_MAX of them wait, or STORE_JOBS_OF_ONE of
 * its member; exact also where several gateways are pushed to at once. */
int store_job_put(struct store *store, const struct store_job *job, struct isg_fail *why);

/* Call each(arg, id) for every push that waits, in no order. */
int store_job_each(struct store *store, int (*each)(void *arg, struct isg_str id), void *arg,
                   struct isg_fail *why);

/* The first piece that is not settled, appended with its lines. ISG_ENOENT: all are. */
int store_job_piece(struct store *store, struct isg_str id, size_t *out_index,
                    struct isg_buf *out_piece, struct isg_buf *out_lines, struct isg_fail *why);

/* The piece is done: these are its lines, and its bytes go, both at once. */
int store_job_settle(struct store *store, struct isg_str id, size_t index, struct isg_str lines,
                     struct isg_fail *why);

/* All pieces are done: it waits no more, and its status is kept for ttl_s seconds from now. */
int store_job_close(struct store *store, struct isg_str id, uint32_t ttl_s, struct isg_fail *why);

/* What it is about, and all lines in order. ISG_ENOENT: no such push, or it is long over. */
int store_job_status(struct store *store, struct isg_str id, struct isg_buf *out_about,
                     struct isg_buf *out_lines, struct isg_fail *why);

/* ---- writing a log -------------------------------------------------------------------------- */

enum store_verdict {
    STORE_ADDED,    /* a new event */
    STORE_SAME,     /* this very form is there already: success, nothing written (T-119) */
    STORE_CONFLICT, /* same id and version, other content, visible to the pusher (S-100) */
    STORE_REVOKED,  /* a later version of a revoked id (S-101) */
    STORE_FAILED    /* the batch was not committed */
};

/* One object version to append. Strings and bytes are borrowed until the call returns. */
struct store_put {
    struct isg_str id;      /* STIX id */
    struct isg_str version; /* modified, else created, else "" (an SCO) */
    bool versioned;         /* has modified: id and version may be there only once */
    bool revoked;
    struct isg_str label;  /* text of the policy label, at most 512 bytes */
    struct isg_str source; /* who brought it: member or feed name */
    struct isg_str canon;  /* canonical bytes */
    const uint8_t *digest; /* ISG_SHA256_BYTES of canon */
    /* set by store_commit */
    enum store_verdict verdict;
    uint64_t position;
    int64_t date_added_us; /* for STORE_SAME: of the event that is there */
};

/*
 * Whose eyes: whether somebody may see an existing event with this label. Another thread may ask
 * while a call waits, so can_see uses only what arg holds and takes no lock that the caller holds;
 * it must not call the store.
 */
struct store_eyes {
    bool (*can_see)(void *arg, struct isg_str label);
    void *arg;
};

/*
 * Append puts to the log of a collection as one atomic batch (shared with other commits that wait
 * at the same moment). Returns only when Redis has confirmed that it is durable.
 *
 *   eyes  the pusher's: a conflict with what he may not see is answered as if it were absent and
 *         his own form is kept beside it
 *
 * Two events of one id can carry the same digest: a form that was pushed with a label the second
 * pusher does not see is appended again with his own, so that those who see only his get it.
 *
 * Returns ISG_OK with every verdict set; ISG_EINVAL (collection, id, version or label too long or
 * empty); ISG_ENOMEM; ISG_ESTORE, ISG_EBUSY: nothing of puts is in the store, or (connection lost after EXEC and not settled in time) what is there is whole and a repeat of
 * the same call is harmless.
 */
int store_commit(struct store *store, const char *collection, struct store_put *puts, size_t n,
                 const struct store_eyes *eyes, struct isg_fail *why);

/*
 * Remove versions of an object from a collection: all of them (version empty) or one. Only events
 * that eyes may see count; what the same source has in the log a second time, announced again under
 * another label, goes with its twin. ISG_ENOENT when none was there.
 */
int store_delete(struct store *store, const char *collection, struct isg_str id,
                 struct isg_str version, const struct store_eyes *eyes, struct isg_fail *why);

/*
 * Erase what was added before before_us, a bounded piece of it: at most 250 ids in one atomic
 * change. Tombstones stay. *out_gone counts events, *out_more tells to call again. Several gateways
 * may call it at once; a lease spares them the double work.
 */
int store_expire(struct store *store, const char *collection, int64_t before_us, size_t *out_gone,
                 bool *out_more, struct isg_fail *why);

/* ---- reading a log -------------------------------------------------------------------------- */

enum { STORE_BLOCK = 1000 }; /* positions in a block; block b holds b*1000+1 .. b*1000+1000 */

/* Where a log stands. generation rises with every change that is not an append. */
struct store_head {
    uint64_t position;     /* of the last event; 0 when empty */
    int64_t date_added_us; /* of the last event */
    uint64_t generation;
    uint64_t log; /* another one where another log took its place (a flushed or restored server):
                     nothing that was made of the old one holds */
};

/* The head as last confirmed by Redis (by this gateway's commits, or asked at most max_age_ms ago). */
int store_head(struct store *store, const char *collection, unsigned max_age_ms,
               struct store_head *out, struct isg_fail *why);

/* The head if it was confirmed at most max_age_ms ago; false otherwise. Never waits. */
bool store_head_now(struct store *store, const char *collection, unsigned max_age_ms,
                    struct store_head *out);

/*
 * Where the canonical bytes of an event lie: in the pack of those that were pushed together with it.
 * Events of layout 3 have their bytes under their digest.
 */
struct store_shelf {
    uint64_t pack; /* position of its first event; 0: under the digest */
    uint32_t offset;
    uint32_t bytes;
};

struct store_event {
    uint64_t position;
    int64_t date_added_us;
    uint32_t label;  /* index into the collection's labels */
    bool dead;       /* erased: never shown again; what stays is a tombstone: */
    bool expired;    /* by its time to live; else it was deleted */
    int64_t gone_us; /* when; 0: not known */
    bool versioned;  /* has modified */
    struct isg_str id;
    struct isg_str version; /* "" for an object without modified and created */
    uint8_t digest[ISG_SHA256_BYTES];
    struct store_shelf shelf;
    /* labels of the newer (and of the older) living versions of the same id, for "last"/"first";
     * rising, no doubles. Of several forms of one version (S-100; events without `modified`) the
     * first counts as newer and as older than the later ones, so both filters show only the
     * earliest form a view sees */
    const uint32_t *newer;
    size_t newer_count;
    const uint32_t *older;
    size_t older_count;
};

/* An immutable snapshot of up to STORE_BLOCK events; shared, counted. */
struct store_block {
    uint64_t number;
    uint64_t generation; /* of this block; moves with every change but an append */
    size_t count;
    struct store_event *events; /* by position, without gaps */
};

/*
 * The snapshot of a block, from memory when it is current, else from Redis. Release it with
 * store_block_unref. ISG_ENOENT beyond the head.
 *
 * It may be newer than a head asked for before: a reader who wants one consistent cut of the log
 * stops at the position of its own head. An event whose record was lost (a damaged store) is there
 * as a dead one with an empty id.
 */
int store_block_get(struct store *store, const char *collection, uint64_t number,
                    struct store_block **out, struct isg_fail *why);
/* Accepts NULL, leaves NULL. */
void store_block_unref(struct store_block **view);

/* As store_block_get but only from memory and only if current; NULL otherwise. Never waits. */
struct store_block *store_block_now(struct store *store, const char *collection, uint64_t number);

/*
 * Events of some labels behind a position, by position and at most limit, in arena: for a reader who
 * sees few of a log's events, and need not pass the others. Dead ones are among them. Fewer than
 * limit: the log holds no more of these labels now.
 */
struct store_wish {
    const uint32_t *labels;
    size_t labels_count;
    uint64_t after;
    size_t limit;
};
/* Set *out to them, in the arena. ISG_OK, ISG_EINVAL (no collection id), ISG_ESTORE, ISG_ENOMEM. */
int store_events_of(struct store *store, const char *collection, const struct store_wish *wish,
                    struct isg_arena *arena, struct store_event **out, size_t *out_count,
                    struct isg_fail *why);

/*
 * The generation of a block as of the head last confirmed, whether or not the block is in memory.
 * False when it is not known. Never waits.
 */
bool store_generation_now(struct store *store, const char *collection, uint64_t number,
                          uint64_t *out);

/* The first position whose date_added is later than us (head + 1 when none is). */
int store_position_after(struct store *store, const char *collection, int64_t us,
                         uint64_t *out_position, struct isg_fail *why);

/* The text of a label of a collection; NULL when unknown. Valid as long as the store is open. */
const char *store_label(struct store *store, const char *collection, uint32_t label);

/* Number of labels of a collection known now. */
uint32_t store_label_count(struct store *store, const char *collection);

/* All events of one object id, by position, dead ones left out; *out is freed with free(). Their
 * id and version texts lie in the same allocation; store_label knows their labels. ISG_ENOENT when
 * there is none; *out is then NULL. */
int store_versions(struct store *store, const char *collection, struct isg_str id,
                   struct store_event **out, size_t *out_count, struct isg_fail *why);

/*
 * Canonical bytes of n events, appended to out one after the other; sizes[i] gets the length of the
 * i-th, or SIZE_MAX where it is not there: erased meanwhile, lost, or other bytes than the event's
 * digest says, which are never given out.
 */
int store_objects(struct store *store, const char *collection,
                  const struct store_event *const *events, size_t n, struct isg_buf *out,
                  size_t *sizes, struct isg_fail *why);

/* How many of the first of n events have no more than max bytes of content together, by what their
 * records say: what store_objects would append. */
size_t store_objects_fit(const struct store_event *const *events, size_t n, size_t max);

/*
 * Have the private server rewrite its append-only file where that is of use: when more than half of
 * it is over, and once a day (an hour after the start first), so that what was erased leaves the disk. now_us is the monotonic
 * clock. Looks every ten seconds, however often it is called, by one thread. *out_began: a rewrite
 * began. An external server is its operator's. ISG_OK, ISG_ESTORE, ISG_ENOMEM.
 */
int store_tidy(struct store *store, int64_t now_us, bool *out_began, struct isg_fail *why);

/* A number that never repeats, also after a crash or a lost Redis write (signing sequence). */
int store_sequence(struct store *store, const char *name, uint64_t *out, struct isg_fail *why);

enum store_lease_wish {
    STORE_LEASE_TAKE, /* it is free, or the token's: for ttl_ms from now */
    STORE_LEASE_KEEP, /* it still is the token's: for ttl_ms from now */
    STORE_LEASE_DROP  /* it ends, where it is the token's */
};

/* A lease of a holder of its own, named by token: true in *out_held when that holds it afterwards.
 * ISG_EINVAL, ISG_ESTORE. */
int store_lease_of(struct store *store, const char *name, const char *token,
                   enum store_lease_wish what, unsigned ttl_ms, bool *out_held,
                   struct isg_fail *why);

/* A lease: true in *out_held when this gateway holds `name` for ttl_ms from now. */
int store_lease(struct store *store, const char *name, unsigned ttl_ms, bool *out_held,
                struct isg_fail *why);

#endif
