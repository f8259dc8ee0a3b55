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

#include "stix/base/err.h"
#include "stix/base/str.h"

enum { TLS_FINGERPRINT_TEXT = 65 };

struct tls;
struct tls_use; /* one connection's hold on a snapshot */

struct tls_files { /* PEM; copied */
    const char *certificate;
    const char *key;
    const char *client_ca; /* NULL: clients are not asked for a certificate */
};

/* Returns ISG_OK; ISG_EIO (unreadable, or key and certificate do not fit), ISG_ENOMEM. */
int tls_open(const struct tls_files *files, struct tls **out, struct isg_fail *why);

/* Read the files again. On failure the old ones stay in use; errors as tls_open. */
int tls_reload(struct tls *tls, struct isg_fail *why);

/* No connection may be left. Accepts NULL, leaves NULL. */
void tls_close(struct tls **tls);

/* The priority string for the library's daemon. */
const char *tls_priorities(void);

/* A retrieve function that has no certificate: every session gets its own by tls_begin. The
 * library only wants to be given one; cast to its type by its variable argument list. */
void (*tls_no_certificate(void))(void);

/* Arm a session before its handshake. NULL without memory. */
struct tls_use *tls_begin(struct tls *tls, void *session);
void tls_end(struct tls_use **use); /* accepts NULL, leaves NULL; does not touch the session */

/*
 * SHA-256 of the client's certificate in lower-case hex, if it presented one that leads to the
 * client CA and is valid now (also of a resumed session; looked at again every few seconds).
 * Empty otherwise. The view lives as long as use.
 */
struct isg_str tls_client(struct tls *tls, struct tls_use *use, void *session);

/* Write bytes as far as it goes without waiting, then say goodbye. False when not all went. */
bool tls_write_last(void *session, struct isg_str bytes);

#endif
