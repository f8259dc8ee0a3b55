/*
 * What the library's parser lets through and this server refuses: ambiguous framing, malformed or
 * doubled headers, odd targets and versions. Pure functions over the
 * parsed request head; no reply, no connection.
 */
#ifndef GATEWAY_HTTP_GUARD_H
#define GATEWAY_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/err.h"
#include "stix/base/str.h"

enum { GUARD_HEADERS_MAX = 128 }; /* lines in one request; more: 431 */

struct guard_line { /* one header line, as the library left it in its buffer */
    struct isg_str name;
    struct isg_str value;
};

/* A request head. All pointers go into the one buffer the library parsed in place. */
struct guard_head {
    struct isg_str method;
    struct isg_str target; /* raw; the bytes may be a copy */
    const char *target_at; /* where the target stood in the buffer */
    const char *version;   /* NUL-terminated */
    const struct guard_line *lines;
    size_t count;       /* may be over GUARD_HEADERS_MAX; only so many lines are there */
    size_t header_size; /* from the method to behind the empty line */
};

struct guard_limits {
    size_t header_max;
    size_t target_max;
};

struct guard_body { /* what the head says of the body */
    bool chunked;
    uint64_t length; /* 0 when chunked or absent */
    bool expects_continue;
};

/*
 * Check a head. Returns 0, or the status to refuse it with (400, 414, 415, 417, 431, 501, 505); why
 * then says what is wrong. *out_body is filled for 0, and for 415 and 417, where the framing holds
 * and only a wish is refused. After any other refusal the end of the request is not certain: the
 * connection must close.
 */
int guard_check(const struct guard_head *head, const struct guard_limits *limits,
                struct guard_body *out_body, struct isg_fail *why);

/*
 * The layout check. The library parses in place and puts NULs over the blanks, colons and line
 * ends it saw, so in a well-formed head all pieces lie back to back, with exactly two NULs where a
 * CRLF stood. A NUL byte, a folded line, a bare LF or an empty name breaks that. It leans on how
 * libmicrohttpd 0.9.75 works: the listener tries it at start, and goes without if it misjudges.
 */
bool guard_layout_holds(const struct guard_head *head);

#endif
