/*
 * The names of all keys, in one place. Every name begins with "isg:"; all keys of a collection
 * share the hash tag {c:<id>}, so that a batch is atomic and a cluster keeps it on one node.
 *
 *   isg:schema                      STRING  version of this layout (migrate.c)
 *   isg:alive                       STRING  written to learn whether writes are taken; expires
 *   isg:{docs}:<kind>               HASH    name -> JSON
 *   isg:{docs}:generation           STRING  counter of changes of members and collections
 *   isg:{docs}:parts:<collection>   STRING  counter of changes of its documents of parts
 *   isg:{docs}:agreed               HASH    what all gateways on this store must have alike
 *   isg:status:<id>                 STRING  "<owner length> <owner><JSON>", expires
 *   isg:{q}:jobs                    HASH    id of each push that waits -> ""
 *   isg:{q}:p:<id>                  HASH    number -> bytes of a piece that is still to be done
 *   isg:{q}:s:<id>                  HASH    number -> lines of each piece; "about"; expires
 *   isg:lease:<name>                STRING  token of the holder, expires
 *   isg:sequence:<name>             STRING  last number given
 *
 *   isg:{c:<id>}:head               STRING  "position date_us generation labels epoch"; WATCHed by
 *                                           every change of the collection, and SET by it
 *   isg:{c:<id>}:b:<block>          STRING  event records of the block, appended (events.h)
 *   isg:{c:<id>}:x:<block>          HASH    position -> marks: what changes after the append
 *   isg:{c:<id>}:g                  HASH    block -> generation of its last change but appends
 *   isg:{c:<id>}:d                  HASH    block -> date_us of its first event
 *   isg:{c:<id>}:l                  HASH    label number -> label text
 *   isg:{c:<id>}:p:<label>          STRING  places of the events of that label, appended (events.h)
 *   isg:{c:<id>}:i:<object id>      STRING  records of the living events of that id, by position
 *   isg:{c:<id>}:e                  STRING  position up to which nothing lives whose time is over
 *   isg:{c:<id>}:k:<position>       STRING  pack: canonical bytes of events added together, from that
 *                                           position on, without gaps; NULs where they were erased
 *   isg:{c:<id>}:z                  HASH    pack -> bytes erased in it
 *   isg:{c:<id>}:o:<digest>         STRING  canonical bytes of an event that has no pack (layout 3)
 *
 * epoch is the date of the log's first event: another epoch is another log (a flushed or restored
 * server), and nothing remembered of the old one holds.
 */
#ifndef GATEWAY_STORE_NAMES_H
#define GATEWAY_STORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/store/store.h"
#include "stix/base/str.h"

enum {
    NAMES_COLLECTION_MAX = 128, /* bytes of a collection id */
    NAMES_ID_MAX = 1024,        /* bytes of an object id, a status id, a lease or sequence name */
    NAMES_KEY_MAX = 1280
};

/* Room for one name; the views below point into it. */
struct names_key {
    char text[NAMES_KEY_MAX];
};

/* Letters, digits, '.', '_' and '-' only, 1 to NAMES_COLLECTION_MAX: what a hash tag can hold. */
bool names_collection_is_valid(const char *collection);

/* Not empty and at most NAMES_ID_MAX bytes. */
bool names_id_is_valid(struct isg_str id);

/* Each writes a name into key and returns a view of it. Arguments must be valid as above. */

/* `isg:schema`. */
struct isg_str names_schema(struct names_key *key);
/* `isg:alive`, which expires. */
struct isg_str names_alive(struct names_key *key);
/* `isg:{docs}:<kind>`, a hash. */
struct isg_str names_docs(struct names_key *key, enum store_doc kind);
/* `isg:{docs}:generation`, a counter. */
struct isg_str names_docs_generation(struct names_key *key);
/* `isg:{docs}:parts:<collection>`, a counter. */
struct isg_str names_parts(struct names_key *key, const char *collection);
/* `isg:{docs}:agreed`, a hash. */
struct isg_str names_agreed(struct names_key *key);
/* `isg:status:<id>`. */
struct isg_str names_status(struct names_key *key, struct isg_str id);
/* `isg:{q}:jobs`, a hash by id. */
struct isg_str names_jobs(struct names_key *key);
/* `isg:{q}:p:<id>`, a hash by number. */
struct isg_str names_job_pieces(struct names_key *key, struct isg_str id);
/* `isg:{q}:s:<id>`, a hash by number. */
struct isg_str names_job_status(struct names_key *key, struct isg_str id);
/* `isg:lease:<name>`. */
struct isg_str names_lease(struct names_key *key, const char *name);
/* `isg:sequence:<name>`. */
struct isg_str names_sequence(struct names_key *key, const char *name);

/* `isg:{c:<collection>}:head`: what a batch WATCHes. */
struct isg_str names_head(struct names_key *key, const char *collection);
/* `...:b:<block>`: event records. */
struct isg_str names_block(struct names_key *key, const char *collection, uint64_t block);
/* `...:x:<block>`: marks by position. */
struct isg_str names_marks(struct names_key *key, const char *collection, uint64_t block);
/* `...:g`: generations by block. */
struct isg_str names_generations(struct names_key *key, const char *collection);
/* `...:d`: dates by block. */
struct isg_str names_dates(struct names_key *key, const char *collection);
/* `...:l`: label texts by number. */
struct isg_str names_labels(struct names_key *key, const char *collection);
/* `...:p:<label>`: places of its events. */
struct isg_str names_places(struct names_key *key, const char *collection, uint32_t label);
/* `...:e`: up to that position nothing lives whose time is over. */
struct isg_str names_expired(struct names_key *key, const char *collection);
/* `...:i:<object id>`: records of its living events. */
struct isg_str names_index(struct names_key *key, const char *collection, struct isg_str id);
/* `...:k:<position>`: canonical bytes of a pack. */
struct isg_str names_pack(struct names_key *key, const char *collection, uint64_t pack);
/* `...:z`, a hash by pack. */
struct isg_str names_erased(struct names_key *key, const char *collection);
/* `...:o:<digest>`: canonical bytes. */
struct isg_str names_object(struct names_key *key, const char *collection,
                            const uint8_t digest[ISG_SHA256_BYTES]);

/* A number as text, for hash fields and values. */
struct isg_str names_number(struct names_key *key, uint64_t number);

#endif
