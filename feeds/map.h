/*
 * Words the sources share: ids in the gateway's namespace, identities, external references,
 * markings, and the writer of one STIX object after the other.
 *
 * Errors stick to the map: a source writes object after object and looks at map.err in its loops
 * and at the end. All texts live in the map's arena.
 */
#ifndef FEEDS_MAP_H
#define FEEDS_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "feeds/feed.h"
#include "feeds/text.h"
#include "stix/base/arena.h"
#include "stix/base/jsonw.h"
#include "stix/extensions.h"
#include "stix/id.h"

/* Created and modified of objects whose source gives no time: the same on each run and gateway. */
#define MAP_EPOCH "2020-01-01T00:00:00.000Z"

/* Our own extensions (medical domain digest, part 8); all are property extensions. */
#define MAP_EXTENSION_DEVICE         STIX_EXTENSION_DEVICE
#define MAP_EXTENSION_RISK           STIX_EXTENSION_RISK
#define MAP_EXTENSION_PRODUCT_STATUS STIX_EXTENSION_PRODUCT_STATUS
#define MAP_EXTENSION_REPORT         STIX_EXTENSION_REPORT

struct map_seen; /* the ids already handed out */

struct map {
    struct feed_context *context;
    struct isg_arena *arena;
    struct isg_buf text; /* the object being written */
    struct isg_jsonw w;
    const char *marking;         /* marking-definition id of all objects, or NULL */
    const char *tag;             /* the facet of objects that map_end gets none for; may be NULL */
    struct isg_str apart;        /* what map_shared_id adds to its fields; may be empty */
    char owner[STIX_ID_MAX + 1]; /* the gateway's own identity */
    struct map_seen *seen;
    struct isg_fail *why;
    int err; /* sticky */
};

/* Ready the map; release it with map_done, also after a failure. */
void map_init(struct map *map, struct feed_context *context, struct isg_fail *why);
/* Free the text and the arena of the map; what was emitted stays. */
void map_done(struct map *map);

/* Set the sticky error unless one is set; returns map->err. */
int map_fail(struct map *map, int code, const char *path, const char *text);

/* `type--uuid5(space, fields joined by '|')` (feeds digest 2.4). */
void map_id(struct map *map, const char *type, const struct isg_str *fields, size_t count,
            char out[STIX_ID_MAX + 1]);

/*
 * Id of an object that several documents share, such as a vendor or a CVE. Shared is only what is
 * CLEAR (digest 5.5): a document with another marking, or none, names itself in map->apart and so
 * has objects of its own, which neither hide the shared ones nor lend them their content.
 */
void map_shared_id(struct map *map, const char *type, const struct isg_str *fields, size_t count,
                   char out[STIX_ID_MAX + 1]);

/* Id of a relationship: relationship|<type>|<source>|<target>. */
void map_relationship_id(struct map *map, const char *type, const char *source, const char *target,
                         char out[STIX_ID_MAX + 1]);

/* True the first time an id is asked about in this run. */
bool map_is_new(struct map *map, const char *id);

/* What every object other than an observable begins with. */
struct map_head {
    const char *type;
    const char *id;
    const char *created;
    const char *modified;
    const char *creator; /* identity id; NULL: no created_by_ref */
};

/*
 * Begin an object: the common properties in a fixed order, then the caller writes its own to
 * map->w, then map_end hands it out. facet as in feed_emit.
 */
void map_begin(struct map *map, const struct map_head *head);
/*
 * Close the object and emit it; the first failure stays in map->err, and nothing is emitted after
 * it.
 */
void map_end(struct map *map, const char *facet);

/* Begin an observable of which only the id is wanted: the caller writes its properties to map->w. */
void map_sco_begin(struct map *map, const char *type);
/* End it: its deterministic id (S-090). False, with map->err set, when it has none. */
bool map_sco_id(struct map *map, char out[STIX_ID_MAX + 1]);
/*
 * The same without a parse, where the properties written are those that contribute to the id, in byte
 * order: the text then is the canonical one already (our writer's strings are those of RFC 8785).
 */
void map_sco_id_sorted(struct map *map, const char *type, char out[STIX_ID_MAX + 1]);

/* Set map->owner without handing its identity out. */
void map_owner(struct map *map);

/* The owner's identity and the definitions of the extensions named (NULL-ended), each once. */
void map_preamble(struct map *map, const char *const *extensions);

/* An organisation, handed out the first time; its id goes to out. home may be empty. */
void map_organisation(struct map *map, struct isg_str name, struct isg_str home,
                      char out[STIX_ID_MAX + 1]);

/* A software observable; what is empty is left out. */
struct map_software {
    struct isg_str name;
    struct isg_str vendor;
    struct isg_str version;
    struct isg_str cpe; /* a CPE 2.3 formatted string */
};

/* Hand it out the first time; its deterministic id (S-090) goes to out. False as map_sco_id. */
bool map_software(struct map *map, const struct map_software *software, char out[STIX_ID_MAX + 1]);

/* Begin `extensions` with this one entry; close with map_extension_end. */
void map_extension_begin(struct map *map, const char *id);
/* Close the entry and `extensions`. */
void map_extension_end(struct map *map);

/* A list of strings under a name; nothing when it is empty (S-003). */
void map_strings(struct map *map, const char *name, const struct text_list *list);

/* A string under a name; nothing when it is empty. */
void map_string(struct map *map, const char *name, struct isg_str value);

/* One external reference. rank orders the list: lower first, then url and external_id. */
enum map_rank { MAP_RANK_CVE, MAP_RANK_RECORD, MAP_RANK_CWE, MAP_RANK_URL };

struct map_reference {
    enum map_rank rank;
    struct isg_str source_name;
    struct isg_str external_id;
    struct isg_str url;
    struct isg_str description;
    struct isg_str sha256; /* hex, of the content of url; empty: not known, url goes into words */
};

struct map_references {
    struct map_reference *items;
    size_t count;
    size_t room;
};

/* Append one that has a name and at least one of url, external_id (S-020). */
void map_reference_add(struct map *map, struct map_references *list,
                       const struct map_reference *reference);

/* Write them sorted, one per URL (digest 2.7); nothing when there is none. */
void map_references_write(struct map *map, struct map_references *list);

#endif
