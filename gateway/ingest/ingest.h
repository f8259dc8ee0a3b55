/*
 * The only way in: every object, pushed, imported or pulled, passes the same stages: scan, check,
 * mark (label), de-duplicate, commit.
 */
#ifndef GATEWAY_INGEST_INGEST_H
#define GATEWAY_INGEST_INGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/share/member.h"
#include "gateway/store/store.h"
#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum ingest_mode {
    INGEST_AS_SENT, /* what members and other TAXII servers send: ids, versions, bytes stay theirs */
    INGEST_MAPPED   /* what our converters made: content decides whether there is a new version */
};

struct ingest_source {
    struct isg_str name;         /* member or feed */
    const struct member *member; /* NULL for feeds and staff imports (which see everything) */
    enum ingest_mode mode;
    /* Who runs the gateway and the URN of its ids: whose observations in the collection the run's new
     * indicators are compared with; empty: nobody's. */
    struct isg_str owner;
    struct isg_str urn;
};

enum ingest_verdict { INGEST_ADDED, INGEST_SAME, INGEST_REFUSED, INGEST_FAILED };

/* What became of one object; texts are in the run's arena. */
struct ingest_outcome {
    enum ingest_verdict verdict;
    struct isg_str id;      /* as far as it could be read; may be empty */
    struct isg_str version; /* modified, else created, else date_added text (T-095) */
    const char *message;    /* NULL, or what is wrong: "path: text (rule)" */
};

struct ingest_counts {
    size_t total;
    size_t added;   /* all that was stored */
    size_t changed; /* of these: newer versions of what a mapped source said before, in a dry run
                     * of whatever is there */
    size_t same;
    size_t refused;
};

/* What became of an object, for people: of what is stored, what is new and what has changed. */
enum ingest_kind { INGEST_NEW, INGEST_CHANGED, INGEST_UNCHANGED, INGEST_KINDS };

struct ingest_run;

/*
 * Begin a run into one collection. outcomes tells whether to keep one outcome per object (a push
 * needs them for its status) or only counts and the first refusals (an import of a million).
 *   store, collection, source   borrowed until ingest_end
 *   dry_run                     do everything but commit
 */
struct ingest_run *ingest_begin(struct store *store, const struct collection *collection,
                                const struct ingest_source *source, bool outcomes, bool dry_run);

/*
 * Take one object's JSON text (copied as needed). facet: NULL, or the key under which this source
 * keeps its own part of an object that several sources describe (one vulnerability per CVE); the
 * object stored is then rendered from all parts in a fixed order, independent of arrival. For
 * documents with versions the key says more: document_enter in document.h.
 *
 * Returns ISG_OK also for a refused object (see outcomes); ISG_ESTORE, ISG_EBUSY, ISG_ENOMEM when
 * the run cannot go on.
 */
int ingest_add(struct ingest_run *run, struct isg_str object, const char *facet,
               struct isg_fail *why);

/* Commit what is left. After an error nothing more is committed. */
int ingest_finish(struct ingest_run *run, struct isg_fail *why);

/* Of all objects so far; lives as long as the run. */
const struct ingest_counts *ingest_counts(const struct ingest_run *run);
/* What became of them in order, as far as it is kept (ingest_begin); the run's memory. */
const struct ingest_outcome *ingest_outcomes(const struct ingest_run *run, size_t *out_count);
/* Ids of the first objects of a kind, at most three; the run's memory. Why objects were refused is
 * among the outcomes. */
const struct isg_str *ingest_examples(const struct ingest_run *run, enum ingest_kind kind,
                                      size_t *out_count);
/* What was not finished is not committed. Accepts NULL, leaves NULL. */
void ingest_end(struct ingest_run **run);

/*
 * A whole TAXII envelope in one go: cut, add all, finish. A body that is not an envelope (T-123,
 * a bundle) is refused whole with ISG_EPARSE or ISG_EINVAL and changes nothing.
 */
int ingest_envelope(struct ingest_run *run, struct isg_str body, struct isg_fail *why);

#endif
