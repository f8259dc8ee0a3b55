#include "gateway/http/tls.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "gateway/metrics.h"
#include "stix/base/buf.h"
#include "stix/base/digest.h"
#include "stix/base/time.h"

enum { RECHECK_US = 5000000, CHAIN_MAX = 8, NAMES_MAX = 16 << 10, NAME_MAX_BYTES = 1024 };

struct snapshot {
    atomic_uint refs;
    gnutls_certificate_credentials_t credentials;
};

struct tls {
    char *certificate;
    char *key;
    char *client_ca;
    char *client_crl;
    enum http_client_certificates clients;
    gnutls_datum_t ticket_key; /* GnuTLS rotates what it derives from it */
    atomic_uint generation;    /* of the files: counts reloads */
    pthread_mutex_t lock;
    struct snapshot *current;
};

struct tls_use {
    struct snapshot *snapshot;
    int64_t checked_us; /* 0: never */
    unsigned generation;
    time_t ends;           /* the first certificate of the chain that does */
    struct isg_buf client; /* fingerprint, issuer and names behind each other; empty: none holds */
    struct http_certificate said; /* views of it */
};

/*
 * Every suite left here has forward secrecy and AEAD; CBC, static RSA and SHA-1 are gone. Renegotiation
 * is never served. Refusing clients that cannot do it safely (%SAFE_RENEGOTIATION) protects nobody
 * then, and hides TLS 1.2 from scanners whose greeting does not speak of it.
 */
const char *tls_priorities(void)
{
    return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:"
           "+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:"
           "-SIGN-DSA-SHA1";
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

/* The server's own certificate: who watches the metric renews it in time. */
static void tell_expiry(gnutls_certificate_credentials_t credentials)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;
    if (gnutls_certificate_get_x509_crt(credentials, 0, &chain, &n) < 0)
        return;
    if (n > 0)
        metric_set(METRIC_KEY_EXPIRY, "role=\"tls\"",
                   (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]));
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
}

static int read_files(const struct tls *tls, gnutls_certificate_credentials_t credentials,
                      struct isg_fail *why)
{
    int err = gnutls_certificate_set_x509_key_file(credentials, tls->certificate, tls->key,
                                                   GNUTLS_X509_FMT_PEM);
    if (err < 0)
        return isg_fail(why, ISG_EIO, "TLS certificate %s or key %s: %s", tls->certificate,
                        tls->key, gnutls_strerror(err));
    tell_expiry(credentials);
    if (tls->client_ca == NULL)
        return ISG_OK;
    err = gnutls_certificate_set_x509_trust_file(credentials, tls->client_ca, GNUTLS_X509_FMT_PEM);
    if (err <= 0)
        return isg_fail(why, ISG_EIO, "TLS client CA %s: %s", tls->client_ca,
                        err < 0 ? gnutls_strerror(err) : "holds no certificate");
    if (tls->client_crl != NULL) {
        err =
            gnutls_certificate_set_x509_crl_file(credentials, tls->client_crl, GNUTLS_X509_FMT_PEM);
        if (err <= 0)
            return isg_fail(why, ISG_EIO, "TLS client CRL %s: %s", tls->client_crl,
                            err < 0 ? gnutls_strerror(err) : "holds no revocation list");
    }
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
    tls->clients = files->clients;
    atomic_init(&tls->generation, 0);
    if (!copy(files->certificate, &tls->certificate) || !copy(files->key, &tls->key) ||
        !copy(files->clients != HTTP_CERTIFICATES_NONE ? files->client_ca : NULL,
              &tls->client_ca) ||
        !copy(files->client_crl, &tls->client_crl) ||
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
    atomic_fetch_add(&tls->generation, 1);
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
    free(old->client_crl);
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

bool tls_requires_client(const struct tls *tls)
{
    return tls->clients == HTTP_CERTIFICATES_REQUIRED;
}

/* ---- a connection ---- */

struct tls_use *tls_begin(struct tls *tls, void *session)
{
    struct tls_use *use = calloc(1, sizeof *use);
    if (use == NULL)
        return NULL;
    use->snapshot = snapshot_ref(tls);
    isg_buf_init(&use->client, NAMES_MAX);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, use->snapshot->credentials);
    (void)gnutls_session_ticket_enable_server(session, &tls->ticket_key);
    if (tls->client_ca != NULL)
        gnutls_certificate_server_set_request(
            session, tls_requires_client(tls) ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
    return use;
}

void tls_end(struct tls_use **use)
{
    struct tls_use *old = *use;
    *use = NULL;
    if (old == NULL)
        return;
    snapshot_unref(old->snapshot);
    isg_buf_done(&old->client);
    free(old);
}

/* ---- the client's certificate ---- */

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
static bool chain_holds(struct tls *tls, gnutls_x509_crt_t *chain, unsigned n)
{
    gnutls_x509_trust_list_t trust = NULL;
    char purpose_oid[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose_oid, .size = 0};
    unsigned status = GNUTLS_CERT_INVALID;
    struct snapshot *now = snapshot_ref(tls);
    gnutls_certificate_get_trust_list(now->credentials, &trust);
    bool ok =
        trust != NULL &&
        gnutls_x509_trust_list_verify_crt2(trust, chain, n, &purpose, 1, 0, &status, NULL) >= 0 &&
        status == 0;
    snapshot_unref(now);
    return ok;
}

/* A value that could be taken for two lines or another name is no name. */
static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return n > 0;
}

static void put_address(struct isg_buf *out, const char *bytes, size_t n)
{
    char text[INET6_ADDRSTRLEN];
    if ((n == 4 || n == 16) &&
        inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) != NULL)
        isg_buf_printf(out, "IP:%s\n", text);
}

static void put_names(gnutls_x509_crt_t crt, struct isg_buf *out)
{
    static const struct {
        int type;
        const char *prefix;
    } kinds[] = {
        {GNUTLS_SAN_DNSNAME, "DNS:"}, {GNUTLS_SAN_RFC822NAME, "EMAIL:"}, {GNUTLS_SAN_URI, "URI:"}};
    for (unsigned i = 0;; i++) {
        char value[NAME_MAX_BYTES];
        size_t n = sizeof value;
        int type = gnutls_x509_crt_get_subject_alt_name(crt, i, value, &n, NULL);
        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (type < 0)
            return;
        if (type == GNUTLS_SAN_IPADDRESS)
            put_address(out, value, n);
        for (size_t k = 0; type == GNUTLS_SAN_DNSNAME && k < n; k++)
            value[k] = (char)(value[k] >= 'A' && value[k] <= 'Z' ? value[k] - 'A' + 'a' : value[k]);
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            if (type == kinds[k].type && is_plain(value, n))
                isg_buf_printf(out, "%s%.*s\n", kinds[k].prefix, (int)n, value);
    }
}

/* A text that one line holds, and that ends where C thinks it does. */
static bool is_line(const gnutls_datum_t *text)
{
    return memchr(text->data, '\n', text->size) == NULL &&
           memchr(text->data, '\0', text->size) == NULL;
}

/* Fingerprint, and where the issuer is trusted itself also issuer and names. */
static void describe(struct tls_use *use, gnutls_x509_crt_t crt, const gnutls_datum_t *der,
                     bool issuer_is_trusted)
{
    uint8_t digest[ISG_SHA256_BYTES];
    char hex[2 * ISG_SHA256_BYTES + 1];
    gnutls_datum_t issuer = {NULL, 0};
    struct isg_buf *out = &use->client;
    isg_sha256((struct isg_str){(const char *)der->data, der->size}, digest);
    isg_hex_encode(digest, sizeof digest, hex);
    isg_buf_puts(out, hex);
    size_t at_issuer = out->len;
    if (issuer_is_trusted && gnutls_x509_crt_get_issuer_dn3(crt, &issuer, 0) >= 0 &&
        is_line(&issuer))
        isg_buf_put(out, issuer.data, issuer.size);
    gnutls_free(issuer.data);
    size_t at_names = out->len;
    if (at_names > at_issuer) /* names mean nothing without who vouches for them */
        put_names(crt, out);
    if (out->err != ISG_OK)
        return;
    use->said = (struct http_certificate){{out->p, at_issuer},
                                          {out->p + at_issuer, at_names - at_issuer},
                                          {out->p + at_names, out->len - at_names}};
}

static void check_client(struct tls *tls, struct tls_use *use, gnutls_session_t session)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned imported = 0;
    unsigned n = 0;
    const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &n);
    isg_buf_reset(&use->client);
    use->said = (struct http_certificate){.fingerprint = {"", 0}};
    use->ends = 0;
    if (raw == NULL || n == 0 || n > CHAIN_MAX)
        return;
    /* An authority in between may call itself what it likes, also by the name of another that is
     * trusted: so the issuer's name counts only where the trusted ones signed the certificate. */
    if (import_chain(raw, n, chain, &imported) && chain_holds(tls, chain, n))
        describe(use, chain[0], &raw[0], n == 1 || chain_holds(tls, chain, 1));
    for (unsigned i = 0; i < imported; i++) {
        time_t ends = gnutls_x509_crt_get_expiration_time(chain[i]);
        if (use->ends == 0 || ends < use->ends)
            use->ends = ends;
        gnutls_x509_crt_deinit(chain[i]);
    }
}

static bool is_judged(const struct tls *tls, const struct tls_use *use, int64_t now_us)
{
    return use->checked_us != 0 && now_us - use->checked_us <= RECHECK_US &&
           use->generation == atomic_load(&tls->generation) &&
           (use->said.fingerprint.n == 0 || time(NULL) <= use->ends);
}

void tls_client(struct tls *tls, struct tls_use *use, void *session, struct http_certificate *out)
{
    int64_t now_us = isg_time_mono_us();
    if (tls->client_ca != NULL && !is_judged(tls, use, now_us)) {
        use->generation = atomic_load(&tls->generation);
        check_client(tls, use, session);
        use->checked_us = now_us;
    }
    *out = use->said;
}

bool tls_write_last(void *session, struct isg_str bytes)
{
    ssize_t n = gnutls_record_send(session, bytes.p, bytes.n);
    (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    return n >= 0 && (size_t)n == bytes.n;
}
