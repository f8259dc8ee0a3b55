/*
 * How the records of one TLS connection travel, where GnuTLS' own way costs more system calls than
 * the request they carry: it reads a record's five bytes of header by a call of their own, and the
 * library sends a reply's head and body as two records, so two segments and two wake-ups of the
 * client.
 */
#ifndef GATEWAY_HTTP_TLS_RECORDS_H
#define GATEWAY_HTTP_TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

struct tls_records;

/* Read ahead for a session, before its handshake. NULL without memory: it goes GnuTLS' own way. */
struct tls_records *tls_records_begin(void *session, int fd);
/* When the session is gone. Accepts NULL, leaves NULL. */
void tls_records_end(struct tls_records **records);

/*
 * Hold back what is sent until tls_records_release, if the reply (head and body: n bytes, about)
 * fits into one record and the socket surely takes it at once. Else nothing is held.
 */
void tls_records_hold(struct tls_records *records, size_t n);

/* Send what was held, in one record. False when the socket did not take it: nothing more can be
 * sent in order, so the connection must end. True when nothing was held. Never waits. */
bool tls_records_release(struct tls_records *records);

#endif
