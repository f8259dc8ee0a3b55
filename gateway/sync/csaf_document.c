/* One advisory of a provider: fetched when it is new, checked against its hash file, mapped. */
#include <string.h>

#include "gateway/sync/csaf_private.h"
#include "stix/base/digest.h"

static void digest_hex(bool long_one, struct isg_str text, char out[2 * ISG_SHA512_BYTES + 1])
{
    uint8_t digest[ISG_SHA512_BYTES];
    if (long_one) {
        struct isg_sha512 hash;
        isg_sha512_init(&hash);
        isg_sha512_add(&hash, text.p, text.n);
        isg_sha512_end(&hash, digest);
    } else {
        isg_sha256(text, digest);
    }
    isg_hex_encode(digest, long_one ? ISG_SHA512_BYTES : ISG_SHA256_BYTES, out);
}

/*
 * Compare with the hash file the list names, else with the one beside the document; ISG_ENOENT when
 * there is none beside it.
 */
static int hash_file_check(struct csaf_walk *walk, const struct csaf_entry *entry, bool long_one,
                           struct isg_str text, struct isg_fail *why)
{
    struct feed_response response = {0};
    char hex[2 * ISG_SHA512_BYTES + 1];
    const char *named = entry->hashes[long_one ? 0 : 1];
    const char *url = named != NULL ? named
                                    : isg_arena_printf(walk->arena, "%s%s", entry->url,
                                                       long_one ? ".sha512" : ".sha256");
    if (url == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = feed_run_get(walk->run, url, NULL, NULL, &response, why);
    if (err == ISG_OK) {
        struct isg_str given = isg_str_trim(isg_buf_str(&response.body));
        digest_hex(long_one, text, hex);
        size_t n = strlen(hex);
        bool whole = given.n == n || (given.n > n && strchr(" \t", given.p[n]) != NULL);
        if (!whole || !isg_str_ieq((struct isg_str){given.p, n}, isg_str_of(hex)))
            err = isg_fail_at(why, ISG_EINVAL, NULL, "E_HASH",
                              "E_HASH: the document is not the one its hash file names");
    }
    feed_response_done(&response);
    if (err == ISG_ENOENT && named != NULL)
        err = isg_fail_at(why, ISG_EINVAL, NULL, "E_HASH",
                          "E_HASH: there is no hash file where the list says so");
    return err;
}

/* SHA-512 first, else SHA-256; a provider without either is taken at its word (TLS). */
static int hash_check(struct csaf_walk *walk, const struct csaf_entry *entry, struct isg_str text,
                      struct isg_fail *why)
{
    bool only_short = entry->hashes[0] == NULL && entry->hashes[1] != NULL;
    int err = only_short ? ISG_ENOENT : hash_file_check(walk, entry, true, text, why);
    if (err == ISG_ENOENT)
        err = hash_file_check(walk, entry, false, text, why);
    return err == ISG_ENOENT ? ISG_OK : err;
}

int csaf_document_map(struct csaf_walk *walk, const struct csaf_entry *entry,
                      const struct feed_response *response, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    struct isg_str text = isg_buf_str(&response->body);
    struct csaf_record known = csaf_table_file(&walk->table, entry->url);
    char hex[2 * ISG_SHA512_BYTES + 1];
    int err = hash_check(walk, entry, text, why);
    if (err != ISG_OK)
        return err;
    digest_hex(true, text, hex);
    if (isg_str_is(known.hash, hex)) {
        run->unchanged++;
    } else {
        run->context.floor = entry->floor;
        err = feed_run_map(run, text, entry->url, why);
        run->context.floor = STIX_TLP_NONE;
    }
    const struct csaf_record record = {entry->url, entry->stamp, isg_str_of(hex),
                                       isg_str_of(response->etag)};
    if (err == ISG_OK && !csaf_table_note(&walk->table, &walk->table.files, &record))
        err = isg_fail(why, ISG_ENOMEM, "no memory");
    return err;
}

int csaf_entry_run(struct csaf_walk *walk, const struct csaf_entry *entry, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    struct feed_response response = {0};
    struct csaf_record known = csaf_table_file(&walk->table, entry->url);
    if (known.hash.n > 0 && entry->stamp.n > 0 && isg_str_eq(known.stamp, entry->stamp)) {
        run->unchanged++;
        return ISG_OK;
    }
    if (walk->fetched++ >= CSAF_FETCHED_MAX) {
        walk->lists[entry->list].again = true;
        return ISG_OK;
    }
    /* a new date is a reason to look at the hash file as well */
    bool ask_first = entry->stamp.n == 0 && known.etag.n > 0;
    const char *etag = ask_first ? isg_arena_copy(walk->arena, known.etag) : NULL;
    int err = feed_run_get(run, entry->url, etag, NULL, &response, why);
    if (err == ISG_OK && response.status == 304) {
        const struct csaf_record record = {entry->url, entry->stamp, known.hash, known.etag};
        run->unchanged++;
        if (!csaf_table_note(&walk->table, &walk->table.files, &record))
            err = isg_fail(why, ISG_ENOMEM, "no memory");
    } else if (err == ISG_OK) {
        err = csaf_document_map(walk, entry, &response, why);
    }
    feed_response_done(&response);
    return err;
}
