/*
 * What the two kinds of `isg export` share: reading a member's view from the service, page by page,
 * and writing a file in pieces.
 * Private to export*.c.
 */
#ifndef GATEWAY_CLI_EXPORT_H
#define GATEWAY_CLI_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/cli/cli.h"
#include "stix/marking.h"

/* One object of the view; level is what the gateway holds it to be. */
typedef int export_take(void *arg, struct isg_str object, enum stix_tlp level,
                        struct isg_fail *why);

struct export_view {
    struct cli *cli;
    const char *collection;
    const char *member; /* NULL: staff */
    bool all_versions;
    char id[64];       /* of the collection; "" before the first page */
    enum stix_tlp tlp; /* strictest so far */
    uint64_t after;
    bool more;
};

/*
 * Read the whole view, an object at a time. `paged` (may be NULL) is called after each page.
 * Returns ISG_OK, what `take` or `paged` returned, or why the service did not answer.
 */
int export_view_read(struct export_view *view, export_take *take,
                     int (*paged)(void *arg, struct isg_fail *why), void *arg,
                     struct isg_fail *why);

enum { EXPORT_DRAIN = 1 << 20 }; /* bytes that gather before they are written */

/* A file that is written in pieces under a temporary name beside its own. */
struct export_sink {
    const char *target;
    char temporary[4096];
    struct isg_buf *from; /* what is still to be written */
    FILE *file;
};

/* Open the temporary file. Returns ISG_OK; ISG_EIO (also when the target is no plain file),
 * ISG_EUSAGE (the name is too long). */
int export_sink_open(struct export_sink *sink, const char *target, struct isg_buf *from,
                     struct isg_fail *why);
/* Write what has gathered, when it is more than `above` bytes. Returns ISG_OK, ISG_ENOMEM, ISG_EIO. */
int export_sink_drain(struct export_sink *sink, size_t above, struct isg_fail *why);
/* Sync and close it, whatever came before: err goes in and, when it is ISG_OK, may become ISG_EIO. */
int export_sink_close(struct export_sink *sink, int err, struct isg_fail *why);

/* What the command line asks for, beside the view. */
struct export_request {
    const char *format;
    const char *type;   /* of a list */
    const char *lists;  /* a warning list, or a folder of them; may be NULL */
    const char *target; /* -o */
};

/* The formats for other tools, by gateway/share/export.h. Returns the exit code. */
int export_plain(struct export_view *view, const struct export_request *request);

#endif
