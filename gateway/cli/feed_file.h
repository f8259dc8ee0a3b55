/*
 * A feed's file as import and convert read it: which source's format it is, and its mapping into
 * STIX objects. Both commands map in the same way, so that what convert prints is what import sends.
 */
#ifndef GATEWAY_CLI_FEED_FILE_H
#define GATEWAY_CLI_FEED_FILE_H

#include <stdio.h>

#include "feeds/feed.h"
#include "gateway/cli/cli.h"

/* Who the objects belong to: the namespace of their ids and the name of their creator. */
struct feed_owner {
    char space[ISG_UUID_TEXT];
    char name[256];
};

/* Records that gave no object, of all files of a command. */
struct feed_left {
    uint64_t excluded; /* set aside, known as harmless, or given twice */
    uint64_t rejected; /* with a value that cannot be read */
};

/* A feed's file may have so many bytes. */
#define FEED_FILE_MAX ((size_t)1 << 30)

/* The owner that an instance's runs use: one namespace and one creator, whoever maps. */
void feed_owner_of(const char *id_urn, const char *name, struct feed_owner *out);

/* The source of --format, or NULL after a message that lists the formats. */
const struct feed_source *feed_file_source(const struct cli *cli, const char *format);

/*
 * Read a file ("-": standard input) into text, which is initialised with FEED_FILE_MAX.
 * Returns ISG_OK; ISG_EIO, ISG_ELIMIT; ISG_EPARSE for a compressed file. why names the file.
 */
int feed_file_read(const char *path, struct isg_buf *text, struct isg_fail *why);

/*
 * Map a file's text; emit gets each object; what gave none is added to left. why names the file.
 * Returns as feed_map.
 */
int feed_file_map(const struct feed_source *source, const struct feed_owner *owner,
                  const char *path, struct isg_str text, feed_emit *emit, void *arg,
                  struct feed_left *left, struct isg_fail *why);

/* A line for each count that is not 0, with begin before it: nobody should miss a record unsaid. */
void feed_left_say(const struct feed_left *left, const char *begin, FILE *out);

#endif
