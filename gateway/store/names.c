#include "gateway/store/names.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const doc_names[STORE_DOC_COUNT] = {
    [STORE_MEMBER] = "member",         [STORE_COLLECTION] = "collection", [STORE_FEED] = "feed",
    [STORE_FEED_STATE] = "feed-state", [STORE_FACET] = "facet",
};

bool names_collection_is_valid(const char *collection)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    size_t n = strlen(collection);
    return n >= 1 && n <= NAMES_COLLECTION_MAX && strspn(collection, allowed) == n;
}

bool names_id_is_valid(struct isg_str id)
{
    return id.n >= 1 && id.n <= NAMES_ID_MAX;
}

static struct isg_str put(struct names_key *key, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct isg_str put(struct names_key *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(key->text, sizeof key->text, format, args);
    va_end(args);
    assert(n > 0 && (size_t)n < sizeof key->text);
    return (struct isg_str){key->text, (size_t)n};
}

/* Names from outside may hold any byte, so they are copied, not formatted. */
static struct isg_str put_tail(struct names_key *key, struct isg_str head, struct isg_str tail)
{
    assert(head.n + tail.n <= sizeof key->text);
    memcpy(key->text + head.n, tail.p, tail.n);
    return (struct isg_str){key->text, head.n + tail.n};
}

struct isg_str names_schema(struct names_key *key)
{
    return put(key, "isg:schema");
}

struct isg_str names_alive(struct names_key *key)
{
    return put(key, "isg:alive");
}

struct isg_str names_docs(struct names_key *key, enum store_doc kind)
{
    return put(key, "isg:{docs}:%s", doc_names[kind]);
}

struct isg_str names_docs_generation(struct names_key *key)
{
    return put(key, "isg:{docs}:generation");
}

struct isg_str names_parts(struct names_key *key, const char *collection)
{
    return put(key, "isg:{docs}:parts:%s", collection);
}

struct isg_str names_agreed(struct names_key *key)
{
    return put(key, "isg:{docs}:agreed");
}

struct isg_str names_status(struct names_key *key, struct isg_str id)
{
    return put_tail(key, put(key, "isg:status:"), id);
}

struct isg_str names_jobs(struct names_key *key)
{
    return put(key, "isg:{q}:jobs");
}

struct isg_str names_job_pieces(struct names_key *key, struct isg_str id)
{
    return put_tail(key, put(key, "isg:{q}:p:"), id);
}

struct isg_str names_job_status(struct names_key *key, struct isg_str id)
{
    return put_tail(key, put(key, "isg:{q}:s:"), id);
}

struct isg_str names_lease(struct names_key *key, const char *name)
{
    return put_tail(key, put(key, "isg:lease:"), isg_str_of(name));
}

struct isg_str names_sequence(struct names_key *key, const char *name)
{
    return put_tail(key, put(key, "isg:sequence:"), isg_str_of(name));
}

struct isg_str names_head(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:head", collection);
}

struct isg_str names_block(struct names_key *key, const char *collection, uint64_t block)
{
    return put(key, "isg:{c:%s}:b:%" PRIu64, collection, block);
}

struct isg_str names_marks(struct names_key *key, const char *collection, uint64_t block)
{
    return put(key, "isg:{c:%s}:x:%" PRIu64, collection, block);
}

struct isg_str names_generations(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:g", collection);
}

struct isg_str names_dates(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:d", collection);
}

struct isg_str names_labels(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:l", collection);
}

struct isg_str names_places(struct names_key *key, const char *collection, uint32_t label)
{
    return put(key, "isg:{c:%s}:p:%" PRIu32, collection, label);
}

struct isg_str names_expired(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:e", collection);
}

/* isg:{c:COLLECTION}, of the two keys that each object has; formatting costs more than all else. */
static struct isg_str put_tag(struct names_key *key, const char *collection)
{
    struct isg_str text = put_tail(key, (struct isg_str){key->text, 0}, ISG_STR("isg:{c:"));
    text = put_tail(key, text, isg_str_of(collection));
    return put_tail(key, text, ISG_STR("}"));
}

struct isg_str names_index(struct names_key *key, const char *collection, struct isg_str id)
{
    struct isg_str text = put_tail(key, put_tag(key, collection), ISG_STR(":i:"));
    return put_tail(key, text, id);
}

struct isg_str names_pack(struct names_key *key, const char *collection, uint64_t pack)
{
    return put(key, "isg:{c:%s}:k:%" PRIu64, collection, pack);
}

struct isg_str names_erased(struct names_key *key, const char *collection)
{
    return put(key, "isg:{c:%s}:z", collection);
}

struct isg_str names_object(struct names_key *key, const char *collection,
                            const uint8_t digest[ISG_SHA256_BYTES])
{
    char hex[2 * ISG_SHA256_BYTES + 1];
    isg_hex_encode(digest, ISG_SHA256_BYTES, hex);
    struct isg_str text = put_tail(key, put_tag(key, collection), ISG_STR(":o:"));
    return put_tail(key, text, (struct isg_str){hex, sizeof hex - 1});
}

struct isg_str names_number(struct names_key *key, uint64_t number)
{
    return put(key, "%" PRIu64, number);
}
