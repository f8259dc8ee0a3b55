#include "gateway/http/tls_records.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

enum {
    AHEAD_BYTES = 4096,    /* a request head fits, in one record */
    HELD_BYTES_MAX = 16000 /* a record holds 16,384 */
};

struct tls_records {
    gnutls_session_t session;
    int fd;
    bool held;
    size_t from; /* what was read ahead: ahead[from..to) */
    size_t to;
    char ahead[AHEAD_BYTES];
};

/* As recv(); what is read ahead is small, so that bulk goes straight to where it belongs. */
static ssize_t pull(gnutls_transport_ptr_t arg, void *out, size_t n)
{
    struct tls_records *r = arg;
    if (r->from == r->to) {
        if (n >= AHEAD_BYTES)
            return recv(r->fd, out, n, 0);
        ssize_t got = recv(r->fd, r->ahead, AHEAD_BYTES, 0);
        if (got <= 0)
            return got;
        r->from = 0;
        r->to = (size_t)got;
    }
    size_t some = r->to - r->from < n ? r->to - r->from : n;
    memcpy(out, r->ahead + r->from, some);
    r->from += some;
    return (ssize_t)some;
}

struct tls_records *tls_records_begin(void *session, int fd)
{
    struct tls_records *records = calloc(1, sizeof *records);
    if (records == NULL)
        return NULL;
    records->session = session;
    records->fd = fd;
    gnutls_transport_ptr_t receive;
    gnutls_transport_ptr_t send;
    gnutls_transport_get_ptr2(session, &receive, &send);
    gnutls_transport_set_ptr2(session, records, send);
    gnutls_transport_set_pull_function(session, pull);
    return records;
}

void tls_records_end(struct tls_records **records)
{
    free(*records);
    *records = NULL;
}

/* Has the peer confirmed all that was sent? Then the kernel's buffer is empty, and it is always
 * larger than a record. */
static bool is_all_sent(int fd)
{
    int unsent = 0;
    return ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent == 0;
}

void tls_records_hold(struct tls_records *records, size_t n)
{
    if (records == NULL || records->held || n > HELD_BYTES_MAX || !is_all_sent(records->fd))
        return;
    gnutls_record_cork(records->session);
    records->held = true;
}

bool tls_records_release(struct tls_records *records)
{
    if (records == NULL || !records->held)
        return true;
    records->held = false;
    if (gnutls_record_uncork(records->session, 0) < 0)
        return false;
    /* The library leaves its sockets corked and pushes by setting this anew; it did so already. */
    int on = 1;
    (void)setsockopt(records->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return true;
}
