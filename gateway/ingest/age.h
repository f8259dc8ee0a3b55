/*
 * How old a part is: what a whole's `modified` is made of. It must rise with every change of every
 * part, and be the same whatever the order in which the parts of the sources came; so beside the
 * parts it is kept how often each changed, which depends on its own source alone.
 */
#ifndef GATEWAY_INGEST_AGE_H
#define GATEWAY_INGEST_AGE_H

#include <stdint.h>

#include "stix/base/jsonw.h"
#include "stix/json.h"

/* The member of a document of parts that holds their ages; no part has this key. */
#define AGES "@"

struct age {
    int64_t latest_us; /* the latest `modified` it had; INT64_MIN: it has none */
    int64_t versions;  /* its content so far, each that was another one than before; 0: not known */
    int64_t dates;     /* of these, how many came with a later `modified` */
};

/* A part that is new. */
struct age age_first(const struct stix_json *part);
/* Its next content. */
struct age age_next(const struct age *before, const struct stix_json *part);

/* The age of a part as kept in a document under AGES; of one that has none there, age_first. */
struct age age_read(const struct stix_json *document, const char *key,
                    const struct stix_json *part);
/* Write what age_read reads: a member of the object under AGES. */
void age_write(struct isg_jsonw *w, const char *key, const struct age *age);

/*
 * `modified` of a whole: its latest part's, and a millisecond later for every version of a part but
 * for those with which the latest parts got their dates. So what one source describes has the
 * source's own dates, and a change of any part, of an old one too, makes the whole newer.
 *
 * (Of two sources whose dates lie within fewer milliseconds than one of them had versions the later
 * one can come out as old as before; mapped_resolve then adds a millisecond.)
 *
 * created_us counts as a date that the whole has from the beginning. INT64_MIN: nobody says one.
 */
int64_t age_of_whole(const struct age *ages, size_t count, int64_t created_us);

#endif
