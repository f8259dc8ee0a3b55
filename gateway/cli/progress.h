/*
 * A bar on the terminal while files are worked off; nothing where standard error is none.
 */
#ifndef GATEWAY_CLI_PROGRESS_H
#define GATEWAY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    uint64_t whole; /* bytes of all files; 0: not known */
    uint64_t done;
    uint64_t objects;
    int64_t drawn_ms; /* when it was drawn last */
    bool terminal;
    bool drawn; /* a line without its end stands on the terminal */
};

/* whole as in the struct. */
void progress_begin(struct progress *progress, uint64_t whole);

/* So many bytes are done and objects made, in all. Drawn ten times a second at most. */
void progress_show(struct progress *progress, uint64_t done, uint64_t objects);

/* Clear the line: what follows begins on one of its own. */
void progress_clear(struct progress *progress);

#endif
