/*
 * The server a test talks to: a Python program that prints its two ports, one a line, and lives
 * until its standard input closes.
 */
#ifndef TESTS_INTEGRATION_FETCH_PEER_H
#define TESTS_INTEGRATION_FETCH_PEER_H

#include <stdio.h>
#include <sys/types.h>

struct peer {
    pid_t pid;
    int alive; /* closing it ends the server */
    FILE *out;
    int port;
    int other_port;
};

/* Start `python script`; false when it does not come up. */
int peer_start(struct peer *peer, const char *python, const char *script);
/* Ask it to end by closing its input, and wait for it. */
void peer_stop(struct peer *peer);

#endif
