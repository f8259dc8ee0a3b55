/*
 * The readers of the single kinds, each a file ioc_*.c. Private to them and ioc.c.
 *
 * Each reads text that is trimmed and refanged and sets kind, value and what belongs to it in *out
 * on success only. A refusal is a sentence in *why_not, NULL stays NULL on success.
 */
#ifndef FEEDS_IOC_KINDS_H
#define FEEDS_IOC_KINDS_H

#include "feeds/ioc.h"

struct ioc_reader {
    struct isg_arena *arena;
    unsigned flags;
    const char *why_not; /* the last refusal */
};

/* Note a refusal; always false. */
bool ioc_refuse(struct ioc_reader *reader, const char *why_not);

/* IPv4 or IPv6, also in [brackets]; a single address. */
bool ioc_read_address(struct ioc_reader *reader, struct isg_str text, struct ioc *out);
/* ADDRESS/BITS, bits behind the prefix cleared (noted in masked); /32 and /128 are an address. */
bool ioc_read_range(struct ioc_reader *reader, struct isg_str text, struct ioc *out);
/* bare_v6: IPv6 may stand without brackets (the source says ip:port). */
bool ioc_read_ip_port(struct ioc_reader *reader, struct isg_str text, bool bare_v6,
                      struct ioc *out);
/* A name, its A-label form in value; "*." in front sets wildcard. IDNA 2008 decides. */
bool ioc_read_domain(struct ioc_reader *reader, struct isg_str text, struct ioc *out);
/* A URL, its host read like an address or a domain. */
bool ioc_read_url(struct ioc_reader *reader, struct isg_str text, struct ioc *out);
/* A mail address, also in <angles>; the part behind the last @ is read like a domain. */
bool ioc_read_email(struct ioc_reader *reader, struct isg_str text, struct ioc *out);

/* Text of exactly the 16 bytes of an address (IPv4 as ::ffff:a.b.c.d): RFC 5952, dotted for IPv4. */
struct isg_str ioc_address_text(struct isg_arena *arena, const uint8_t address[16]);

#endif
