#include "gateway/http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { CA_DAYS = 3650, SERVER_DAYS = 825, SERIAL_BYTES = 16, SUBJECT_MAX = 64, PEM_MAX = 16384 };

static const time_t DAY = (time_t)24 * 60 * 60;

/* A certificate being made, with its key; both live until made_done. */
struct made {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

static int gnutls_fail(struct isg_fail *why, int code)
{
    return isg_fail(why, ISG_EINVAL, "certificate: %s", gnutls_strerror(code));
}

static void made_done(struct made *made)
{
    if (made->crt != NULL)
        gnutls_x509_crt_deinit(made->crt);
    if (made->key != NULL)
        gnutls_x509_privkey_deinit(made->key);
    *made = (struct made){NULL, NULL};
}

static int set_serial(gnutls_x509_crt_t crt)
{
    unsigned char serial[SERIAL_BYTES];
    int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7f; /* a positive integer */
    return code < 0 ? code : gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
}

static int set_validity(gnutls_x509_crt_t crt, int days)
{
    time_t now = time(NULL);
    int code = gnutls_x509_crt_set_activation_time(crt, now - DAY);
    return code < 0 ? code : gnutls_x509_crt_set_expiration_time(crt, now + days * DAY);
}

/* As much of a text as a subject holds, with no character cut through. */
static unsigned subject_bytes(const char *text)
{
    size_t n = strnlen(text, SUBJECT_MAX + 1);
    if (n <= SUBJECT_MAX)
        return (unsigned)n;
    for (n = SUBJECT_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    return (unsigned)n;
}

/* Key pair, subject, serial number, validity: what both certificates have alike. */
static int made_begin(struct made *made, const char *organisation, const char *name, int days)
{
    int code = gnutls_x509_privkey_init(&made->key);
    if (code >= 0)
        code = gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
                                            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code >= 0)
        code = gnutls_x509_crt_init(&made->crt);
    if (code >= 0)
        code = gnutls_x509_crt_set_version(made->crt, 3);
    if (code >= 0)
        code = gnutls_x509_crt_set_dn_by_oid(made->crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0,
                                             organisation, subject_bytes(organisation));
    if (code >= 0)
        code = gnutls_x509_crt_set_dn_by_oid(made->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                             subject_bytes(name));
    if (code >= 0)
        code = set_serial(made->crt);
    if (code >= 0)
        code = set_validity(made->crt, days);
    if (code >= 0)
        code = gnutls_x509_crt_set_key(made->crt, made->key);
    return code;
}

static int set_key_id(struct made *made)
{
    unsigned char id[64];
    size_t n = sizeof id;
    int code = gnutls_x509_crt_get_key_id(made->crt, 0, id, &n);
    return code < 0 ? code : gnutls_x509_crt_set_subject_key_id(made->crt, id, n);
}

static int make_ca(struct made *ca, const char *organisation)
{
    int code = made_begin(ca, organisation, "ISAO Gateway first CA", CA_DAYS);
    if (code >= 0)
        code = gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN);
    if (code >= 0)
        code = set_key_id(ca);
    if (code >= 0)
        code = gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
    return code;
}

/* One subject alternative name: an address where the text is one, else a DNS name. */
static int add_name(gnutls_x509_crt_t crt, const char *host)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1)
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 4,
                                                    GNUTLS_FSAN_APPEND);
    if (inet_pton(AF_INET6, host, address) == 1)
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, 16,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
                                                (unsigned)strlen(host), GNUTLS_FSAN_APPEND);
}

static bool is_among(const char *host, const char *const *hosts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(host, hosts[i]) == 0)
            return true;
    return false;
}

/* Each host once, and those that every machine has. */
static int add_names(gnutls_x509_crt_t crt, const char *const *hosts)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    int code = 0;
    size_t n = 0;
    for (; hosts[n] != NULL && code >= 0; n++)
        if (!is_among(hosts[n], hosts, n))
            code = add_name(crt, hosts[n]);
    for (size_t i = 0; i < sizeof always / sizeof always[0] && code >= 0; i++)
        if (!is_among(always[i], hosts, n))
            code = add_name(crt, always[i]);
    return code;
}

static int make_server(struct made *server, const struct made *ca, const char *organisation,
                       const char *const *hosts)
{
    unsigned char id[64];
    size_t n = sizeof id;
    int code = made_begin(server, organisation, hosts[0], SERVER_DAYS);
    if (code >= 0)
        code = gnutls_x509_crt_set_basic_constraints(server->crt, 0, -1);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_usage(server->crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_purpose_oid(server->crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (code >= 0)
        code = add_names(server->crt, hosts);
    if (code >= 0)
        code = set_key_id(server);
    if (code >= 0)
        code = gnutls_x509_crt_get_key_id(ca->crt, 0, id, &n);
    if (code >= 0)
        code = gnutls_x509_crt_set_authority_key_id(server->crt, id, n);
    if (code >= 0)
        code = gnutls_x509_crt_sign2(server->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
    return code;
}

static int put_certificate(gnutls_x509_crt_t crt, struct isg_buf *out)
{
    size_t n = PEM_MAX;
    char *pem = isg_buf_reserve(out, n);
    int code = pem == NULL ? GNUTLS_E_MEMORY_ERROR
                           : gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, pem, &n);
    out->len += code >= 0 ? n : 0;
    return code;
}

static int put_key(gnutls_x509_privkey_t key, struct isg_buf *out)
{
    size_t n = PEM_MAX;
    char *pem = isg_buf_reserve(out, n);
    int code = pem == NULL ? GNUTLS_E_MEMORY_ERROR
                           : gnutls_x509_privkey_export_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                              GNUTLS_PKCS_PLAIN, pem, &n);
    out->len += code >= 0 ? n : 0;
    return code;
}

int certificate_make(const char *organisation, const char *const *hosts,
                     struct certificate_set *out, struct isg_fail *why)
{
    struct made ca = {NULL, NULL};
    struct made server = {NULL, NULL};
    struct certificate_set set;
    isg_buf_init(&set.ca, PEM_MAX);
    isg_buf_init(&set.certificate, PEM_MAX);
    isg_buf_init(&set.key, PEM_MAX);
    int code = make_ca(&ca, organisation);
    if (code >= 0)
        code = make_server(&server, &ca, organisation, hosts);
    if (code >= 0)
        code = put_certificate(ca.crt, &set.ca);
    if (code >= 0)
        code = put_certificate(server.crt, &set.certificate);
    if (code >= 0)
        code = put_key(server.key, &set.key);
    made_done(&server);
    made_done(&ca);
    if (code < 0) {
        certificate_set_done(&set);
        return gnutls_fail(why, code);
    }
    *out = set;
    return ISG_OK;
}

void certificate_set_done(struct certificate_set *set)
{
    if (set->key.p != NULL)
        gnutls_memset(set->key.p, 0, set->key.cap);
    isg_buf_done(&set->ca);
    isg_buf_done(&set->certificate);
    isg_buf_done(&set->key);
}

int certificate_read_span(const char *path, struct certificate_span *out, struct isg_fail *why)
{
    gnutls_datum_t text = {NULL, 0};
    gnutls_x509_crt_t *chain = NULL;
    unsigned n = 0;
    struct certificate_span span = {INT64_MIN, INT64_MAX};
    if (gnutls_load_file(path, &text) < 0)
        return isg_fail(why, ISG_EIO, "%s: cannot be read: %s", path, ISG_OS_ERROR(errno));
    int code = gnutls_x509_crt_list_import2(&chain, &n, &text, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(text.data);
    if (code < 0)
        return isg_fail(why, ISG_EPARSE, "%s: %s", path, gnutls_strerror(code));
    for (unsigned i = 0; i < n; i++) {
        int64_t from_us = (int64_t)gnutls_x509_crt_get_activation_time(chain[i]) * 1000000;
        int64_t until_us = (int64_t)gnutls_x509_crt_get_expiration_time(chain[i]) * 1000000;
        span.from_us = from_us > span.from_us ? from_us : span.from_us;
        span.until_us = until_us < span.until_us ? until_us : span.until_us;
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    *out = span;
    return ISG_OK;
}
