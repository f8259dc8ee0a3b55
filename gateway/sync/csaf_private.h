/* What the csaf_*.c files share: the lists of a provider, their entries, what earlier runs read. */
#ifndef GATEWAY_SYNC_CSAF_PRIVATE_H
#define GATEWAY_SYNC_CSAF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "feeds/hash_file.h"
#include "feeds/text.h"
#include "gateway/sync/csaf_run.h"
#include "stix/base/arena.h"
#include "stix/marking.h"

enum {
    CSAF_URL_MAX = 8192,
    CSAF_ENTRIES_MAX = 100000, /* of all lists */
    CSAF_LISTS_MAX = 64,       /* ROLIE feeds of one provider */
    CSAF_NAMED_MAX = 96,       /* metadata, feeds and directories that one names, there or not */
    CSAF_FETCHED_MAX = 5000    /* documents of one run; the rest follows with the next */
};

/* What is known of a URL that was read. Texts borrowed from the table's arena. */
struct csaf_record {
    const char *url;
    struct isg_str stamp; /* a document: its date in the list; a list: Last-Modified */
    struct isg_str hash;  /* SHA-512 of a document, hex */
    struct isg_str etag;
};

struct csaf_records {
    struct csaf_record *items;
    size_t count;
    size_t room;
};

/* The table of the runs before, and what this run adds. */
struct csaf_table {
    struct isg_arena *arena;
    struct stix_json *old;
    struct csaf_records files;
    struct csaf_records lists;
};

/* A list that was fetched. */
struct csaf_list {
    const char *url;
    const char *etag;
    const char *last_modified;
    bool again; /* something it names could not be read: no validator is kept */
};

/* One advisory that a list names. */
struct csaf_entry {
    const char *url;
    struct isg_str stamp;           /* its date there; may be empty */
    const char *hashes[HASH_KINDS]; /* URLs of its hash files, where the list says them */
    enum stix_tlp floor;            /* the label of the list or the folder it stands in */
    size_t list;                    /* index */
    size_t order;
};

struct csaf_walk {
    struct feed_run *run;
    struct isg_arena *arena;
    struct csaf_table table;
    struct csaf_list lists[CSAF_LISTS_MAX];
    size_t list_count;
    size_t not_modified; /* lists answered with 304 */
    size_t directories;
    struct text_list read; /* metadata and lists of this run */
    const char *dns_path;  /* where the provider's metadata was found by DNS: a server of its own */
    struct csaf_entry *entries;
    size_t count;
    size_t room;
    size_t fetched;
};

/* ---- csaf_table.c */

/* Load what earlier runs kept; nothing of another converter. ISG_ESTORE, ISG_ENOMEM. */
int csaf_table_load(struct feed_run *run, struct isg_arena *arena, struct csaf_table *out,
                    struct isg_fail *why);
/* Free what it holds. */
void csaf_table_done(struct csaf_table *table);
/* What is known of a document or list; all empty when nothing is. */
struct csaf_record csaf_table_file(const struct csaf_table *table, const char *url);
/* Likewise of a list. */
struct csaf_record csaf_table_list(const struct csaf_table *table, const char *url);
/* Note what this run knows; copies. False when memory ran out. */
bool csaf_table_note(struct csaf_table *table, struct csaf_records *records,
                     const struct csaf_record *record);
/* The old table with this run's records in their places. Errors are the buffer's. */
void csaf_table_write(struct csaf_table *table, struct isg_buf *out);

/* ---- csaf_run.c */

/* A failure of the whole run, not of one document. */
bool csaf_is_fatal(int err);
/* changes.csv or index.txt of a folder, which ends with a slash. Errors of feed_run_get, csaf_lines_read. */
int csaf_directory_run(struct csaf_walk *walk, const char *folder, struct isg_fail *why);
/* Metadata, a ROLIE feed or one advisory: the content says which. Once a run: *out_again tells that it
 * was asked before, whatever came of it. */
int csaf_json_run(struct csaf_walk *walk, const char *url, bool *out_again, struct isg_fail *why);

/* ---- csaf_discover.c */

/*
 * A host alone (it ends with a slash): find its metadata in the order of CSAF 2.0, 7.3.1, and read all
 * that is found; where there is none, a directory on the host itself. ISG_ENOENT when nothing is.
 */
int csaf_host_run(struct csaf_walk *walk, const char *host, struct isg_fail *why);

/* ---- csaf_lists.c */

/* The host of a URL that feed_url_join made. */
struct isg_str csaf_host_of(const char *url);

/* Note a failure that costs an entry, not the run. */
void csaf_failed(struct feed_run *run, const char *name, const struct isg_fail *why);

/*
 * The URL that reference stands for beside base, when it may be asked: as csaf_run.h says. NULL with
 * *why: ISG_EDENIED, ISG_EUSAGE, ISG_ENOMEM.
 */
const char *csaf_url(struct csaf_walk *walk, const char *base, struct isg_str reference,
                     struct isg_fail *why);

/* Add the entries of list: lines of `path` or `path,timestamp`. ISG_ENOMEM, ISG_ELIMIT. */
int csaf_lines_read(struct csaf_walk *walk, size_t list, struct isg_str text, struct isg_fail *why);
/* Likewise the entries of a ROLIE feed, all under its label. */
int csaf_rolie_read(struct csaf_walk *walk, size_t list, const struct stix_json *feed,
                    enum stix_tlp label, struct isg_fail *why);

/* Each URL once, the newest first as the lists have it; the strictest label of all lists. */
void csaf_entries_merge(struct csaf_walk *walk);

/* ---- csaf_document.c */

/* Fetch an entry unless it is known, check its hash, map it, note it. */
int csaf_entry_run(struct csaf_walk *walk, const struct csaf_entry *entry, struct isg_fail *why);

/* Map a document that was fetched from url. */
int csaf_document_map(struct csaf_walk *walk, const struct csaf_entry *entry,
                      const struct feed_response *response, struct isg_fail *why);

#endif
