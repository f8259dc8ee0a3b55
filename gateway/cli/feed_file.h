/*
 * A feed's file as import and convert read it: which source's format it is, what was said of it on
 * the command line, and its mapping into STIX objects. Both commands map in the same way, so that
 * what convert prints is what import sends.
 */
#ifndef GATEWAY_CLI_FEED_FILE_H
#define GATEWAY_CLI_FEED_FILE_H

#include <stdio.h>

#include "feeds/exclude.h"
#include "feeds/feed.h"
#include "gateway/cli/cli.h"

/* Who the objects belong to: the namespace of their ids and the name of their creator. */
struct feed_owner {
    char space[ISG_UUID_TEXT];
    char name[256];
};

/* The options that both commands have. */
struct feed_options {
    const char *format;
    const char *source;   /* who hands in: a member or a feed */
    const char *columns;  /* file: a table's own columns (csv_columns.h) */
    const char *networks; /* of the sensors' house, parted by commas */
    const char *lists;    /* a warning list of MISP, or a folder of them */
    const char
        *aliases;  /* file: further names of vendors; NULL: what the instance's setting names */
    bool exercise; /* values set aside for documentation count */
};

enum { FEED_OPTIONS = 7 };

/* The rows of an option table for them. */
void feed_option_rows(struct feed_options *options, struct cli_option rows[FEED_OPTIONS]);

/* A format with all that its files are read by, and what was left out of them. */
struct feed_reader {
    const struct feed_source *source;
    struct feed_owner owner;
    const struct product_alias *aliases; /* NULL: the built-in ones alone */
    const char *slug;                    /* who hands in, NULL: nobody was named */
    struct isg_arena *arena;
    const struct csv_profile *profile; /* NULL: the format's */
    const char **internal;             /* NULL: private networks */
    struct exclude_lists *exclude;
    struct exclude_tally *tally;
    bool sighted; /* for a store, which compares observations with its indicators */
    uint64_t records;
    uint64_t excluded; /* set aside, known as harmless, or given twice */
    uint64_t rejected; /* with a value that cannot be read */
};

/* A feed's file may have so many bytes. */
#define FEED_FILE_MAX ((size_t)1 << 30)

/*
 * Ready a reader; release it with feed_reader_done, also after a failure. The owner is set
 * by feed_reader_instance. Returns 0, or the exit code after a message: CLI_USAGE for a format that is none (with a
 * list of them), CLI_DATA and the like for what the options name.
 */
int feed_reader_open(const struct cli *cli, const struct feed_options *options,
                     struct feed_reader *out);
/*
 * What the instance says of every mapping: the owner, and the aliases of vendors unless an option
 * named a file. id_urn: the instance's setting of that name. Returns ISG_OK, or as feed_aliases_read.
 */
int feed_reader_instance(struct feed_reader *reader, const char *id_urn, const char *name,
                         const char *aliases, struct isg_fail *why);
/* Free what the options named. */
void feed_reader_done(struct feed_reader *reader);

/*
 * Read a file ("-": standard input) of this source into text, which is initialised with FEED_FILE_MAX.
 * A gzip file is unpacked, a table in UTF-16 becomes UTF-8.
 * Returns ISG_OK; ISG_EIO, ISG_ELIMIT; ISG_EPARSE for a damaged file. why names the file.
 */
int feed_file_read(const struct feed_source *source, const char *path, struct isg_buf *text,
                   struct isg_fail *why);

/*
 * Map a file's text, after its hash file where the format has such; emit gets each object; what gave none is counted in the reader. why names the
 * file. Returns as feed_map.
 */
int feed_file_map(struct feed_reader *reader, const char *path, struct isg_str text,
                  feed_emit *emit, void *arg, struct isg_fail *why);

/* A line for each count that is not 0, with begin before it: nobody should miss a record unsaid. */
void feed_left_say(const struct feed_reader *reader, const char *begin, FILE *out);

/* The same as members of an object: records, excluded, unreadable, and the lists that spoke. */
void feed_left_write(const struct feed_reader *reader, struct isg_jsonw *w);

#endif
