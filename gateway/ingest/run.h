/*
 * Inside of a run: objects wait here, checked and canonical, until a batch is committed.
 */
#ifndef GATEWAY_INGEST_RUN_H
#define GATEWAY_INGEST_RUN_H

#include "gateway/ingest/ingest.h"
#include "gateway/share/policy.h"
#include "stix/object.h"

enum {
    RUN_BATCH = 250,            /* objects in one commit */
    RUN_BATCH_BYTES = 4 << 20,  /* or bytes, whichever is first */
    RUN_REFUSALS = 64,          /* kept by a run without outcomes */
    RUN_EXAMPLES = 3,           /* ids of each kind */
    RUN_OBJECT_MAX = 64 << 20,  /* bytes of an object we render ourselves */
    DOCUMENT_KEY_MAX = 256,     /* of a facet, with its version */
    RUN_MODIFIED_STEP_US = 1000 /* between versions of mapped objects */
};

/* One object that waits. It owns what it points to; version and label are of id's memory, or the run's. */
struct staged {
    char *id;
    const char *version; /* modified, else created, else "" */
    const char *label;
    bool versioned;
    bool revoked;
    struct isg_buf canon;
    uint8_t digest[ISG_SHA256_BYTES];
    char *facet;            /* NULL, or the key of the part this object is */
    struct stix_json *json; /* where the stored versions must be looked at; else NULL */
    struct staged *part;    /* NULL, or the part that this whole was put in the place of */
    size_t outcome;         /* index of its outcome; SIZE_MAX: none is kept */
    bool settled;           /* has its verdict: nothing to commit */
    bool changed;           /* an older version of it is there */
};

/* What a run knows of a marking that is no TLP (markings.c). */
struct marking_seen {
    char *id;
    bool statement;
    bool asked;  /* the store knew no statement when it was asked */
    bool waited; /* an object got a label that waits for it, since it was asked */
};

struct ingest_run {
    struct store *store;
    const struct collection *collection;
    struct ingest_source source;
    char *label_source; /* the member's name, or "feed:" and the feed's */
    bool outcomes;
    bool dry_run;
    bool hold;                 /* an envelope is read: commit nothing before its end */
    int err;                   /* sticky */
    struct isg_fail begun;     /* why it could not even begin; "" where it did */
    struct isg_arena *arena;   /* texts of outcomes, labels that were given again */
    struct isg_arena *scratch; /* of one object's check */
    struct ingest_counts counts;
    struct ingest_counts told; /* what of counts the metrics have */
    struct isg_str examples[INGEST_KINDS][RUN_EXAMPLES];
    size_t examples_count[INGEST_KINDS];
    struct ingest_outcome *list;
    size_t list_count;
    size_t list_room;
    struct staged *staged;
    size_t staged_count;
    size_t staged_room;
    size_t staged_bytes;
    struct marking_seen *markings;
    size_t markings_count;
    size_t markings_news;            /* definitions this run brought since the last flush */
    struct facet_shelf *facets;      /* documents to write, until facet_close */
    struct sightings *sightings;     /* observations that are to be compared; or NULL */
    uint64_t since;                  /* the log's last position when the run began */
    bool new_indicators;             /* some were stored */
    bool reviewing;                  /* observations are compared with those (sighting_review.c) */
    char document[DOCUMENT_KEY_MAX]; /* key of the document being read (document.c); or "" */
    char document_version[DOCUMENT_KEY_MAX];
    bool document_stale; /* a newer version of it was taken in before */
    struct epss_shelf
        *epss; /* scores that are open, between facet_lock and facet_unlock (epss.c) */
};

/* Read text as an object and fill what depends on it. Errors of stix_object_read; on ISG_EINVAL and
 * the like out is untouched. */
int run_read(struct ingest_run *run, struct isg_str text, bool keep_json, struct staged *out,
             struct isg_fail *why);
/* Free an object's texts, bytes and tree; it is then all zero. */
void run_staged_done(struct staged *staged);

/* The tree of a text that is not checked, to tell its name from; NULL where it is no JSON, or has more
 * members than an object may have: then no tree is made of it. */
struct stix_json *run_peek(struct isg_str text);

/* What names an object, checked or not, as far as it is short enough to repeat; json may be NULL. */
void run_names(const struct stix_json *json, struct isg_str *out_id, struct isg_str *out_version);

/* Write the verdict on a staged object, or on a text that never became one (staged NULL). version
 * NULL: as read. message may be NULL. */
void run_settle(struct ingest_run *run, struct staged *staged, enum ingest_verdict verdict,
                const char *version, const char *message);

/* As run_settle with INGEST_REFUSED and "path: text (rule)". */
void run_refuse(struct ingest_run *run, struct staged *staged, const struct isg_fail *why);

/* The label of an object, by what the run's source said of its markings, into text. */
void run_label(struct ingest_run *run, const struct stix_json *object, char text[POLICY_LABEL_MAX]);

/* Note a definition that is about to be stored; does nothing with other objects. ISG_ENOMEM. */
int markings_note(struct ingest_run *run, const struct stix_json *object);

/* Give the staged objects whose labels wait for what was noted their true labels. */
int markings_relabel(struct ingest_run *run, struct isg_fail *why);

/* May further objects wait for definitions? Not in a collection of very many labels. */
bool markings_may_wait(const struct ingest_run *run);
/* Have an object that is about to be stored wait for none: it stays RED. ISG_ENOMEM. */
int markings_wait_no_more(struct ingest_run *run, struct staged *staged, struct isg_fail *why);

/*
 * Announce again, under their true labels, the stored objects of this source that waited for what
 * was noted: who sees them now gets them once, at the end of the log (a poller's cursor is past
 * where they stand). Also what this run stored itself and whose definition another brought meanwhile.
 * Call it after each commit.
 */
int markings_release(struct ingest_run *run, struct isg_fail *why);
/* Free what the run noted of marking definitions. */
void markings_done(struct ingest_run *run);

/* May the source of the run see an event with this label? For store_commit. */
bool run_can_see(void *run, struct isg_str label);

/* Commit all that wait (commit.c). */
int run_flush(struct ingest_run *run, struct isg_fail *why);

/*
 * Compare a mapped object with the latest version its kind of source stored (mapped.c). Settles it
 * when nothing is new; else gives it the stored `created` and a `modified` that rises.
 */
int mapped_resolve(struct ingest_run *run, struct staged *staged, struct isg_fail *why);

/* Equal but for `created` and `modified`. */
bool mapped_same_content(const struct stix_json *a, const struct stix_json *b);

/*
 * The latest version of an object that sources of the run's kind stored, as a tree (free it); *out is
 * NULL where there is none. ISG_ESTORE, ISG_ENOMEM.
 */
int mapped_latest(struct ingest_run *run, struct isg_str id, struct stix_json **out,
                  struct isg_fail *why);

/*
 * Put the staged part beside the other sources' parts and replace it by the whole (facet.c).
 * Between facet_lock and facet_unlock no other run of this process touches parts.
 */
int facet_resolve(struct ingest_run *run, struct staged *staged, struct isg_fail *why);
/* Make it the part again that it was before it was resolved, without a verdict. */
void facet_restore(struct staged *staged);

/* Name of the document of the parts of that object. */
void facet_name(const struct ingest_run *run, const struct staged *staged, struct isg_buf *out);
/* Read the documents of n staged parts, before they are resolved (shelf.c). ISG_ESTORE, ISG_ENOMEM. */
int facet_open(struct ingest_run *run, const struct staged *staged, size_t n, struct isg_fail *why);
/* What a document says by now, a view that holds until it is kept or closed; p NULL: there is none. */
int facet_read(struct ingest_run *run, struct isg_str name, struct isg_str *out,
               struct isg_fail *why);
/* Have a document written with the next batch; takes text's bytes. ISG_ENOMEM. */
int facet_keep(struct ingest_run *run, struct isg_str name, struct isg_buf *text,
               struct isg_fail *why);
/*
 * Write what was kept, or drop it; before the commit. ISG_EBUSY: another gateway changed what was
 * read; nothing was written, and all is to be opened and resolved again. ISG_ESTORE.
 */
int facet_close(struct ingest_run *run, bool keep, struct isg_fail *why);
/* One lock for the process; taken before facet_resolve, held until its commit. */
void facet_lock(void);
/* After the parts were committed or given up. */
void facet_unlock(void);

#endif
