/*
 * Between the files of sightings: sighting.c keeps what waits and writes what was found,
 * sighting_find.c reads the indicators and compares.
 */
#ifndef GATEWAY_INGEST_SIGHTING_PRIVATE_H
#define GATEWAY_INGEST_SIGHTING_PRIVATE_H

#include "feeds/sighted.h"
#include "gateway/ingest/run.h"

/* An observation that waits. */
struct note {
    struct stix_json *json; /* what its texts are views into */
    struct sighted says;
    int64_t first_us;
    int64_t last_us;
};

/* An indicator that a note meets. */
struct hit {
    const char *indicator; /* its id */
    enum stix_tlp level;
    const struct note *note;
};

struct sightings {
    struct isg_arena *arena; /* ids of hits */
    struct note *notes;
    size_t notes_count;
    struct hit *hits;
    size_t hits_count;
    bool full; /* more was met than is kept */
};

enum {
    NOTES_MAX = 10000, /* that wait at once */
    HITS_MAX = 200000  /* of them all */
};

/* Fill hits by comparing all notes. ISG_ESTORE, ISG_ENOMEM. */
int sightings_find(const struct ingest_run *run, struct sightings *sightings, struct isg_fail *why);

#endif
