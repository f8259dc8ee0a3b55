#include "gateway/http/tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "stix/base/digest.h"
#include "stix/base/time.h"

enum { RECHECK_US = 5000000, CHAIN_MAX = 8 };

struct snapshot {
    atomic_uint refs;
    gnutls_certificate_credentials_t credentials;
};

struct tls {
    char *certificate;
    char *key;
    char *client_ca;
    gnutls_datum_t ticket_key; /* GnuTLS rotates what it derives from it */
    pthread_mutex_t lock;
    struct snapshot *current;
};

struct tls_use {
    struct snapshot *snapshot;
    int64_t checked_us; /* 0: never */
    char fingerprint[TLS_FINGERPRINT_TEXT];
};

/* Every suite left here has forward secrecy and AEAD; CBC, static RSA and SHA-1 are gone. */
const char *tls_priorities(void)
{
    return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:"
           "+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:"
           "-SIGN-DSA-SHA1:%SAFE_RENEGOTIATION";
}

/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter): the library's signature */
static int no_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                          gnutls_pcert_st **certs, unsigned *n, gnutls_ocsp_data_st **ocsp,
                          unsigned *ocsp_n, gnutls_privkey_t *key, unsigned *flags)
{
    (void)session, (void)info, (void)certs, (void)ocsp, (void)ocsp_n, (void)key, (void)flags;
    *n = 0;
    return -1;
}
/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

void (*tls_no_certificate(void))(void)
{
    return (void (*)(void))no_certificate;
}

/* ---- snapshots ---- */

static void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    gnutls_certificate_free_credentials(snapshot->credentials);
    free(snapshot);
}

static unsigned verify(gnutls_session_t session)
{
    unsigned status = 0;
    char purpose_oid[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose_oid, .size = 0};
    if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0)
        return GNUTLS_CERT_INVALID;
    return status;
}

/* Called when a client presented a certificate: one that does not hold ends the handshake. */
static int verify_in_handshake(gnutls_session_t session)
{
    unsigned n = 0;
    if (gnutls_certificate_get_peers(session, &n) == NULL || n == 0)
        return 0;
    return verify(session) == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static int read_files(const struct tls *tls, gnutls_certificate_credentials_t credentials,
                      struct isg_fail *why)
{
    int err = gnutls_certificate_set_x509_key_file(credentials, tls->certificate, tls->key,
                                                   GNUTLS_X509_FMT_PEM);
    if (err < 0)
        return isg_fail(why, ISG_EIO, "TLS certificate %s or key %s: %s", tls->certificate,
                        tls->key, gnutls_strerror(err));
    if (tls->client_ca == NULL)
        return ISG_OK;
    err = gnutls_certificate_set_x509_trust_file(credentials, tls->client_ca, GNUTLS_X509_FMT_PEM);
    if (err <= 0)
        return isg_fail(why, ISG_EIO, "TLS client CA %s: %s", tls->client_ca,
                        err < 0 ? gnutls_strerror(err) : "holds no certificate");
    gnutls_certificate_set_verify_function(credentials, verify_in_handshake);
    return ISG_OK;
}

static int snapshot_read(const struct tls *tls, struct snapshot **out, struct isg_fail *why)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    atomic_init(&snapshot->refs, 1);
    if (gnutls_certificate_allocate_credentials(&snapshot->credentials) < 0) {
        free(snapshot);
        return isg_fail(why, ISG_ENOMEM, "no memory");
    }
    int err = read_files(tls, snapshot->credentials, why);
    if (err == ISG_OK)
        *out = snapshot;
    else
        snapshot_unref(snapshot);
    return err;
}

static struct snapshot *snapshot_ref(struct tls *tls)
{
    (void)pthread_mutex_lock(&tls->lock);
    struct snapshot *snapshot = tls->current;
    atomic_fetch_add(&snapshot->refs, 1);
    (void)pthread_mutex_unlock(&tls->lock);
    return snapshot;
}

/* ---- open, reload, close ---- */

static bool copy(const char *text, char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

int tls_open(const struct tls_files *files, struct tls **out, struct isg_fail *why)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    (void)pthread_mutex_init(&tls->lock, NULL);
    int err = ISG_OK;
    if (!copy(files->certificate, &tls->certificate) || !copy(files->key, &tls->key) ||
        !copy(files->client_ca, &tls->client_ca) ||
        gnutls_session_ticket_key_generate(&tls->ticket_key) < 0)
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    if (err == ISG_OK)
        err = snapshot_read(tls, &tls->current, why);
    if (err == ISG_OK)
        *out = tls;
    else
        tls_close(&tls);
    return err;
}

int tls_reload(struct tls *tls, struct isg_fail *why)
{
    struct snapshot *fresh = NULL;
    int err = snapshot_read(tls, &fresh, why);
    if (err != ISG_OK)
        return err;
    (void)pthread_mutex_lock(&tls->lock);
    struct snapshot *old = tls->current;
    tls->current = fresh;
    (void)pthread_mutex_unlock(&tls->lock);
    snapshot_unref(old);
    return ISG_OK;
}

void tls_close(struct tls **tls)
{
    struct tls *old = *tls;
    *tls = NULL;
    if (old == NULL)
        return;
    snapshot_unref(old->current);
    if (old->ticket_key.data != NULL)
        gnutls_memset(old->ticket_key.data, 0, old->ticket_key.size);
    gnutls_free(old->ticket_key.data);
    free(old->certificate);
    free(old->key);
    free(old->client_ca);
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

/* ---- a connection ---- */

struct tls_use *tls_begin(struct tls *tls, void *session)
{
    struct tls_use *use = calloc(1, sizeof *use);
    if (use == NULL)
        return NULL;
    use->snapshot = snapshot_ref(tls);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, use->snapshot->credentials);
    (void)gnutls_session_ticket_enable_server(session, &tls->ticket_key);
    if (tls->client_ca != NULL)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    return use;
}

void tls_end(struct tls_use **use)
{
    struct tls_use *old = *use;
    *use = NULL;
    if (old == NULL)
        return;
    snapshot_unref(old->snapshot);
    free(old);
}

static bool import_chain(const gnutls_datum_t *raw, unsigned n, gnutls_x509_crt_t *chain,
                         unsigned *imported)
{
    for (*imported = 0; *imported < n; (*imported)++) {
        gnutls_x509_crt_t *crt = &chain[*imported];
        if (gnutls_x509_crt_init(crt) < 0)
            return false;
        if (gnutls_x509_crt_import(*crt, &raw[*imported], GNUTLS_X509_FMT_DER) < 0) {
            gnutls_x509_crt_deinit(*crt);
            return false;
        }
    }
    return true;
}

/* By the trust of now, not of the time of the handshake: a reload or a resumed session counts. */
static bool chain_holds(struct tls *tls, const gnutls_datum_t *raw, unsigned n)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    gnutls_x509_trust_list_t trust = NULL;
    char purpose_oid[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose_oid, .size = 0};
    unsigned status = GNUTLS_CERT_INVALID;
    unsigned imported = 0;
    struct snapshot *now = snapshot_ref(tls);
    gnutls_certificate_get_trust_list(now->credentials, &trust);
    bool ok =
        n <= CHAIN_MAX && import_chain(raw, n, chain, &imported) && trust != NULL &&
        gnutls_x509_trust_list_verify_crt2(trust, chain, n, &purpose, 1, 0, &status, NULL) >= 0 &&
        status == 0;
    for (unsigned i = 0; i < imported; i++)
        gnutls_x509_crt_deinit(chain[i]);
    snapshot_unref(now);
    return ok;
}

static void check_client(struct tls *tls, struct tls_use *use, gnutls_session_t session)
{
    uint8_t digest[ISG_SHA256_BYTES];
    unsigned n = 0;
    const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &n);
    use->fingerprint[0] = '\0';
    if (raw == NULL || n == 0 || !chain_holds(tls, raw, n))
        return;
    isg_sha256((struct isg_str){(const char *)raw[0].data, raw[0].size}, digest);
    isg_hex_encode(digest, sizeof digest, use->fingerprint);
}

struct isg_str tls_client(struct tls *tls, struct tls_use *use, void *session)
{
    int64_t now = isg_time_mono_us();
    if (tls->client_ca != NULL && (use->checked_us == 0 || now - use->checked_us > RECHECK_US)) {
        check_client(tls, use, session);
        use->checked_us = now;
    }
    return isg_str_of(use->fingerprint);
}

bool tls_write_last(void *session, struct isg_str bytes)
{
    ssize_t n = gnutls_record_send(session, bytes.p, bytes.n);
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    return n >= 0 && (size_t)n == bytes.n;
}
