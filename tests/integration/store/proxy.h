/*
 * A man in the middle between the store and a real redis-server, on a Unix socket, who can be told
 * to misbehave.
 */
#ifndef TESTS_INTEGRATION_STORE_PROXY_H
#define TESTS_INTEGRATION_STORE_PROXY_H

enum proxy_mode {
    PROXY_PASS,
    PROXY_GARBAGE,     /* answers with something that is no RESP */
    PROXY_HALF,        /* hangs up in the middle of a reply */
    PROXY_LOADING,     /* says it is loading */
    PROXY_ENDLESS,     /* announces a reply that never ends, and trickles */
    PROXY_DROP_REPLY,  /* once: lets EXEC through, hangs up instead of its reply */
    PROXY_DROP_REQUEST /* once: hangs up instead of passing EXEC on */
};

/* Start on DIR/proxy.sock in front of DIR/own.sock. Lives until the test ends. */
void proxy_start(const char *dir);
/* From now on, also for connections that are open. */
void proxy_set(enum proxy_mode mode);

#endif
