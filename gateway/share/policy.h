/*
 * The sharing decision, as a pure function: what is known of an object (its label) and of a member.
 *
 * The collection's read right decides the first hop; policy can only narrow it. Deny by default:
 * an unknown marking is RED, and RED goes to its source and to ISAO staff only (S-071).
 */
#ifndef GATEWAY_SHARE_POLICY_H
#define GATEWAY_SHARE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/share/member.h"
#include "stix/base/str.h"
#include "stix/json.h"
#include "stix/marking.h"

enum { POLICY_LABEL_MAX = 512 };

/* What policy needs to know of an object; its text is what the store interns. */
struct policy_label {
    enum stix_tlp tlp;     /* effective level, never NONE */
    struct isg_str source; /* member, or "feed:NAME", that brought it */
    struct isg_str waits;  /* a marking nobody knows yet, while tlp is UNKNOWN for it; else empty */
};

/*
 * What is known of markings that are no TLP. A statement (a copyright, say) bounds nothing; any
 * other marking is unknown, and so RED. Only the source of an object may say what the object's
 * markings mean: else a stranger's definition could open what somebody closed.
 */
struct policy_markings {
    bool (*is_statement)(void *arg, struct isg_str marking_id);
    void *arg;
};

/* What stands before the name of a source that is no member. No member's name holds a ':', so that
 * a member called like a feed is not taken for it. */
#define POLICY_FEED "feed:"

/* Reasons of a decision, in the order of the checks; the first that applies wins. */
enum policy_deny {
    POLICY_ALLOW,
    POLICY_SUSPENDED,
    POLICY_TLP,      /* the level goes no further than this, or is above the member's own bound */
    POLICY_AUDIENCE, /* only recipients the source names get this level (RED) */
    POLICY_CONSENT,  /* this kind of member gets it only where the source agreed; by default not */
    POLICY_KIND,     /* this kind of member never gets this level */
    POLICY_UNKNOWN_MARKING
};
/* "allow", "suspended", "tlp" and so on, for the log and for people. */
const char *policy_deny_name(enum policy_deny deny);

/*
 * May member, who holds the collection's read right, see an object with this label at this time?
 * The source itself and ISAO staff always see it.
 */
enum policy_deny policy_decide(const struct policy_label *label, const struct member *member,
                               int64_t now_us);

/*
 * The label of an object pushed by source into collection: the strictest of its markings, granular
 * ones too (no reduced forms are made, so a part marks the whole), else the collection's
 * default_tlp. The nine TLP marking definitions are public. markings may be NULL: only TLP is
 * known. waits is a view into object.
 */
struct policy_label policy_label_of(const struct stix_json *object,
                                    const struct collection *collection, struct isg_str source,
                                    const struct policy_markings *markings);

/* The label's text, e.g. "tlp=amber;src=hospital-a", with ";waits=ID" for a label that waits, into text[POLICY_LABEL_MAX]. Bytes of source
 * other than [A-Za-z0-9._:@/%-] are written %XX; a source over 256 bytes by its SHA-256. */
void policy_label_write(const struct policy_label *label, char text[POLICY_LABEL_MAX]);

/* Read such a text; views into it. An unreadable text is RED from nobody. */
struct policy_label policy_label_read(struct isg_str text);

#endif
