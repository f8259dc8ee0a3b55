/*
 * TLS of one listener; only this file and tls_records.c know GnuTLS. Certificates are immutable snapshots: a
 * connection holds the one it began with, a reload swaps the pointer for those that follow.
 * TLS 1.2 and 1.3 with AEAD suites only (T-135, T-136, T-138), no early data (T-137).
 */
#ifndef GATEWAY_HTTP_TLS_H
#define GATEWAY_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/http.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

struct tls;
struct tls_use; /* one connection's hold on a snapshot */

struct tls_files { /* PEM; copied */
    const char *certificate;
    const char *key;
    const char *client_ca;  /* NULL: clients are not asked for a certificate */
    const char *client_crl; /* revoked ones; may be NULL */
    enum http_client_certificates clients;
};

/* Returns ISG_OK; ISG_EIO (unreadable, or key and certificate do not fit), ISG_ENOMEM. */
int tls_open(const struct tls_files *files, struct tls **out, struct isg_fail *why);

/* Read the files again. On failure the old ones stay in use; errors as tls_open. */
int tls_reload(struct tls *tls, struct isg_fail *why);

/* No connection may be left. Accepts NULL, leaves NULL. */
void tls_close(struct tls **tls);

/* Does a connection need a client certificate? */
bool tls_requires_client(const struct tls *tls);

/* The priority string for the library's daemon. */
const char *tls_priorities(void);

/* A retrieve function that has no certificate: every session gets its own by tls_begin. The
 * library only wants to be given one; cast to its type by its variable argument list. */
void (*tls_no_certificate(void))(void);

/* Arm a session before its handshake. NULL without memory. */
struct tls_use *tls_begin(struct tls *tls, void *session);
/* Accepts NULL, leaves NULL; does not touch the session. */
void tls_end(struct tls_use **use);

/*
 * The client's certificate, if it presented one that leads to the client CA, is not revoked and valid
 * now: judged for each request, also of a resumed session, by the authorities of now (the chain is
 * walked again after a reload, every few seconds, and when a certificate of it ends). Empty
 * otherwise. The views live as long as use.
 */
void tls_client(struct tls *tls, struct tls_use *use, void *session, struct http_certificate *out);

/* Write bytes as far as it goes without waiting, then say goodbye. False when not all went. */
bool tls_write_last(void *session, struct isg_str bytes);

#endif
