/*
 * Ctrl-C, SIGTERM and the end of the terminal while a command writes files: noted at first, so that
 * what is half done can be taken away; then the command ends by that signal, as its caller expects.
 */
#ifndef GATEWAY_CLI_INTERRUPT_H
#define GATEWAY_CLI_INTERRUPT_H

#include <stdatomic.h>

#include "stix/base/err.h"

/*
 * Note these signals from now on; those that the caller had ignored stay ignored. A file that grows
 * beyond the caller's limit (ulimit -f) ends no command any more: its write fails.
 */
void interrupt_watch(void);

/* True once one came; for exchanges that have to end then. */
extern atomic_bool interrupt_came;

/* Between two steps: ISG_OK, or ISG_EBUSY when one came. */
int interrupt_check(struct isg_fail *why);

/* At the end, with nothing left half done. When a step was given up (code is not 0), this does not
 * return where a signal came; else it returns code, for what was done is whole. */
int interrupt_end(int code);

#endif
