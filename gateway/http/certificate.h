/*
 * A first certificate for a new instance: an own CA and a server certificate for its hosts, so that
 * TLS works from the first minute. Operators replace them by their own.
 */
#ifndef GATEWAY_HTTP_CERTIFICATE_H
#define GATEWAY_HTTP_CERTIFICATE_H

#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"

struct certificate_set { /* PEM texts; free with certificate_set_done */
    struct isg_buf ca;
    struct isg_buf certificate;
    struct isg_buf key; /* of the server certificate; secret */
};

/*
 * Make them: ECDSA P-256, CA for ten years, server certificate for 825 days with hosts (names
 * and addresses, at least one, NULL behind the last; the first is its common name too), localhost and
 * the loopback addresses as subject alternative names. The CA's key is
 * thrown away: it signs once.
 *
 * Returns ISG_OK; ISG_EINVAL when the library refuses (the text says what).
 */
int certificate_make(const char *organisation, const char *const *hosts,
                     struct certificate_set *out, struct isg_fail *why);
/* Wipe the key, free all three. */
void certificate_set_done(struct certificate_set *set);

struct certificate_span { /* microseconds since 1970 */
    int64_t from_us;
    int64_t until_us;
};

/*
 * When all certificates of a PEM file, a chain, are valid. ISG_EIO when it cannot be read, ISG_EPARSE
 * when it holds none; why names the file.
 */
int certificate_read_span(const char *path, struct certificate_span *out, struct isg_fail *why);

#endif
