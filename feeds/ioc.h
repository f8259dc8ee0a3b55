/*
 * One indicator of compromise as a feed writes it, brought to its one canonical form (feeds digest,
 * section 3): trimmed, refanged, recognised, parsed, written again. Pure functions; what they return
 * lives in the arena they are given.
 */
#ifndef FEEDS_IOC_H
#define FEEDS_IOC_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

enum ioc_kind {
    /* What may be asked for, but is never the kind of a value read. */
    IOC_ANY,     /* recognised by its form */
    IOC_NETWORK, /* an address or a range of either family */
    IOC_HASH,    /* a hash of a file, its length decides */
    /* Kinds. */
    IOC_IPV4,
    IOC_IPV6,
    IOC_CIDR4,
    IOC_CIDR6,
    IOC_IP_PORT,
    IOC_DOMAIN,
    IOC_URL,
    IOC_MD5,
    IOC_SHA1,
    IOC_SHA256,
    IOC_SHA384,
    IOC_SHA512,
    IOC_CERT_MD5, /* hashes of a TLS certificate; the source says so, never the form */
    IOC_CERT_SHA1,
    IOC_CERT_SHA256,
    IOC_EMAIL,
    IOC_CVE
};

enum ioc_flags {
    IOC_MACHINE = 1 << 0,      /* machine data: path and query are never refanged or trimmed */
    IOC_SINGLE_LABEL = 1 << 1, /* a domain without a dot is one */
    IOC_WIDE = 1 << 2          /* a range of any width: for lists of networks, not for indicators */
};

enum { IOC_TEXT_MAX = 8192 }; /* bytes of a value */

struct ioc {
    enum ioc_kind kind;
    struct isg_str value; /* canonical; of IOC_IP_PORT the address */
    struct isg_str host;  /* IOC_URL, IOC_EMAIL: the host in canonical form, without brackets */
    struct isg_str
        unicode;       /* the domain as it was written, when that was no A-label; may be empty */
    unsigned port;     /* IOC_IP_PORT */
    uint8_t first[16]; /* addresses and ranges: first and last address, IPv4 as ::ffff:a.b.c.d */
    uint8_t last[16];
    bool has_range;   /* first and last are set; also for a URL whose host is an address */
    bool refanged;    /* the value had to be refanged */
    bool masked;      /* host bits of a range were cleared */
    bool ambiguous;   /* IPv6 and port without brackets that reads as an address, too */
    bool wildcard;    /* the domain was written *.x */
    bool credentials; /* the URL carries user information */
};

/*
 * Read one value of the kind wanted (IOC_ANY: the form decides; IOC_IP_PORT needs to be asked for
 * where IPv6 is written without brackets).
 *
 * Returns ISG_OK; ISG_EINVAL with the reason in why (may be NULL), ISG_ENOMEM.
 * Source: feeds digest 3.1, 3.2.
 */
int ioc_read(struct isg_arena *arena, struct isg_str raw, enum ioc_kind want, unsigned flags,
             struct ioc *out, struct isg_fail *why);

/* The word for a kind: "ipv4", "url", ...; "any" for those that may only be asked for. */
const char *ioc_kind_name(enum ioc_kind kind);

/* The kind of a word as sources write it ("ip:port", "md5_hash", "Intel::ADDR"); IOC_ANY if unknown. */
bool ioc_kind_find(struct isg_str word, enum ioc_kind *out);

/*
 * Append the STIX pattern for it (digest 3.3). False for a kind that has none (IOC_CVE).
 */
bool ioc_pattern(const struct ioc *ioc, struct isg_buf *out);

/* Append text as the inside of a pattern's string literal: only \ and ' are escaped. */
void ioc_pattern_escape(struct isg_buf *out, struct isg_str text);

/*
 * The value with the marks people put into addresses taken out (digest 3.1); raw itself when there
 * were none. flags as ioc_read. NULL p when memory ran out.
 */
struct isg_str ioc_refang(struct isg_arena *arena, struct isg_str raw, unsigned flags);

#endif
