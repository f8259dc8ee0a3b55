/*
 * The instance's configuration: DIR/isg.yaml, read and checked by one schema table. Unknown keys
 * are errors; secrets are named by file, never by value; relative paths are below DIR.
 */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

struct config_root { /* one TAXII API root */
    char *path;      /* "api": served at /api/ */
    char *title;
    char *description; /* may be NULL */
};

struct config_listener {       /* one more address where members come in */
    char *address;             /* HOST:PORT */
    bool tls;                  /* false: loopback, or behind a trusted proxy */
    char *client_certificates; /* as tls.client_certificates */
};

enum { CONFIG_LISTENERS_MAX = 7 }; /* beside the first one */

struct feed_def { /* one source that is pulled on a schedule */
    char *name;
    char *url;
    char *format;     /* kev, csaf, stix, ... */
    char *collection; /* id, alias or title */
    uint32_t interval_s;
    char *header_file; /* lines "Name: value" sent with each request; may be NULL */
    char *ca;          /* CA file; NULL: the system's */
    char *client_certificate;
    char *client_key;
    char *proxy;           /* URL; NULL: none, whatever the environment says */
    char *proxy_auth_file; /* its first line is USER:PASSWORD; may be NULL */
    char *redirects;       /* auto, follow, never */
    bool allow_private;
    char *allow_networks; /* further addresses that are allowed; may be NULL */
    char *allow_hosts;    /* further hosts that lists of the source may name; may be NULL */
    /* bounds of one answer (feeds digest 2.2) */
    uint32_t timeout_s;
    uint32_t max_wire;
    uint32_t max_bytes;
    uint32_t max_ratio;
    uint32_t max_records;
    uint32_t max_depth;
    uint32_t max_string;
    char *columns;           /* file that describes a table's own columns; may be NULL */
    char *warning_lists;     /* file or folder; may be NULL */
    char *networks;          /* of the sensors' house; NULL: private networks */
    uint32_t shrink_percent; /* a snapshot that lacks more is suspect */
    bool stored;             /* made by command: kept in the store, not in the file */
};

struct config_route { /* how another server is reached, and what it is shown; all may be NULL */
    char *header_file;
    char *ca;
    char *client_certificate;
    char *client_key;
    char *proxy;
    char *proxy_auth_file;
};

struct config_peer { /* another TAXII server, pulled from or pushed to on a schedule */
    char *name;
    char *direction;  /* pull or push */
    char *url;        /* discovery, API root or collection URL */
    char *from;       /* collection to read (there for pull, here for push) */
    char *collection; /* collection to write (here for pull, there for push) */
    char *member;     /* of a push: who the peer is among the members; may be NULL */
    char *user;
    char *password_file;
    struct config_route route;
    uint32_t interval_s;
    bool allow_private;
};

struct config_webhook { /* a URL that is told of what is new in a collection */
    char *name;
    char *url;
    char *collection;  /* id, alias or title */
    char *member;      /* who the receiver is among the members; may be NULL */
    char *content;     /* objects, or notice: only that there are some */
    char *secret_file; /* key of the signature */
    struct config_route route;
    uint32_t batch; /* objects in one delivery */
    uint32_t interval_s;
    bool allow_private;
};

struct config {
    char *dir;             /* the instance directory, absolute */
    char *name;            /* of the organisation */
    char *listen;          /* HOST:PORT of the TAXII listener */
    char *public_url;      /* https://host[:port], no trailing slash; advertised */
    char *id_urn;          /* URN of the namespace of our own ids, made once */
    char *trusted_proxies; /* networks whose X-Forwarded-For counts; may be NULL */
    char *vendor_aliases;  /* file of further names of vendors (feeds/product.h); may be NULL */
    struct config_listener *listeners; /* beside `listen` */
    unsigned listeners_count;
    struct config_root *roots;
    unsigned roots_count;
    struct {
        char *
            certificate; /* PEM chain; NULL with key NULL: plain HTTP, on loopback or behind a proxy */
        char *key;
        char *client_ca;           /* verify client certificates against it; may be NULL */
        char *client_crl;          /* PEM; revoked client certificates; may be NULL */
        char *client_certificates; /* optional, none, required */
    } tls;
    struct {
        char *socket; /* Unix socket of the admin listener */
        char *listen; /* also on loopback TCP HOST:PORT; may be NULL */
    } admin;
    struct {
        char *url;           /* NULL: the private server. unix:/path or redis://host:port */
        char *password_file; /* may be NULL */
        char *accept_plain;  /* HOST:PORT off loopback that is accepted without TLS */
        uint32_t timeout_ms; /* of one call */
        char *durability;    /* disk or second: what the server gives */
        uint32_t replicas;   /* that acknowledge writes of `replica` collections */
    } redis;
    struct {
        uint32_t max_content_length; /* bytes of a request body */
        uint32_t page_max;           /* objects in one page */
        uint32_t connections;        /* open at once */
        uint32_t connections_per_address;
        uint32_t header_timeout_ms;   /* from connect (or last answer) to the end of the headers */
        uint32_t body_timeout_ms;     /* for each 64 KiB of body */
        uint32_t idle_timeout_ms;     /* between requests */
        uint32_t cache_bytes;         /* of the page cache */
        uint32_t workers;             /* threads that may wait; 0: by cores */
        uint32_t status_hours;        /* a status is kept (T-090) */
        uint32_t objects_now;         /* of a push that is completed within its request */
        uint32_t requests_per_minute; /* of one member; 0: no limit */
    } limits;
    struct {
        char *dir;             /* key files */
        char *passphrase_file; /* of the key files */
    } keys;
    struct {
        char *level;  /* debug, info, warn, error */
        char *format; /* auto, json, text */
    } log;
    struct feed_def *feeds;
    unsigned feeds_count;
    struct config_peer *peers;
    unsigned peers_count;
    struct config_webhook *webhooks;
    unsigned webhooks_count;
};

/*
 * Read and check DIR/isg.yaml.
 *
 * Returns ISG_OK; ISG_EIO (no such file), ISG_EUSAGE (unknown key, wrong type, out of range; why
 * names the key and line). *out is freed with config_free.
 */
int config_load(const char *dir, struct config **out, struct isg_fail *why);

/* As config_load, from a file with paths relative to dir (check-config of a file elsewhere). */
int config_load_file(const char *path, const char *dir, struct config **out, struct isg_fail *why);
/* Free a configuration and every text in it; accepts NULL, leaves NULL. */
void config_free(struct config **config);

/* Append the whole configuration as YAML, each value with a comment on where it came from. */
void config_show(const struct config *config, struct isg_buf *out);

/*
 * The same for programs, and a newline: a list of {"setting", "value", "origin"}, where origin is
 * "default", "file" or "env", with "line" or "variable".
 */
void config_show_json(const struct config *config, struct isg_buf *out);

/* Append a commented example with every setting and its default. */
void config_example(struct isg_buf *out);

/* Append the reference: a table of key, type, default, range and meaning. */
void config_reference(struct isg_buf *out);

/* The reference for programs, and a newline: a list of {"setting", "type", "default", ...}. */
void config_reference_json(struct isg_buf *out);

/*
 * The settings of a feed that is made by command: {"name":..., "url":..., ...} with the names, types,
 * defaults and bounds of section feeds; paths are absolute. Release with feed_def_done.
 *
 * ISG_EINVAL (path names the setting: unknown, wrong, missing, or a rule between settings),
 * ISG_ENOMEM.
 */
int feed_def_read(const struct stix_json *json, struct feed_def *out, struct isg_fail *why);
/* Append its settings, without the content of any file; those that have their default are left out. */
void feed_def_write(const struct feed_def *def, struct isg_jsonw *w);
/* Are all settings equal? */
bool feed_def_same(const struct feed_def *a, const struct feed_def *b);
/* A copy with texts of its own; ISG_ENOMEM. */
int feed_def_copy(const struct feed_def *def, struct feed_def *out, struct isg_fail *why);
/* Free the texts; the definition is then all zero. */
void feed_def_done(struct feed_def *def);

/* Seconds of "90", "90s", "15m", "24h" or "30d". False for anything else. */
bool config_seconds(struct isg_str text, uint64_t *out);

/* True for a namespace of ids: urn:NAMESPACE:NAME in printable ASCII (setting id_urn). */
bool config_is_urn(struct isg_str text);

#endif
