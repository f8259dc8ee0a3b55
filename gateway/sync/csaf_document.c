/* One advisory of a provider: fetched when it is new, checked against its hash file, mapped. */
#include "feeds/hash_file.h"
#include "gateway/sync/csaf_private.h"

/*
 * Compare with the hash file the list names, else with the one beside the document; ISG_ENOENT when
 * there is none beside it.
 */
static int listed_hash_check(struct csaf_walk *walk, const struct csaf_entry *entry,
                             enum hash_kind kind, struct isg_str text, struct isg_fail *why)
{
    struct feed_response response = {0};
    const char *named = entry->hashes[kind];
    const char *url = named != NULL
                          ? named
                          : isg_arena_printf(walk->arena, "%s%s", entry->url, hash_file_end(kind));
    if (url == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = feed_run_get(walk->run, url, NULL, NULL, &response, why);
    if (err == ISG_OK)
        err = hash_file_check(kind, text, isg_buf_str(&response.body), why);
    feed_response_done(&response);
    if (named == NULL && (err == ISG_EDENIED || err == ISG_EPARSE))
        err =
            ISG_ENOENT; /* how some servers say that there is no such file: 403, a page for people */
    if (err == ISG_ENOENT && named != NULL)
        err = isg_fail_at(why, ISG_EINVAL, NULL, "E_HASH",
                          "E_HASH: there is no hash file where the list says so");
    return err;
}

/* SHA-512 first, else SHA-256; a provider without either is taken at its word (TLS). */
static int hash_check(struct csaf_walk *walk, const struct csaf_entry *entry, struct isg_str text,
                      struct isg_fail *why)
{
    bool only_short = entry->hashes[HASH_SHA512] == NULL && entry->hashes[HASH_SHA256] != NULL;
    int err = only_short ? ISG_ENOENT : listed_hash_check(walk, entry, HASH_SHA512, text, why);
    if (err == ISG_ENOENT)
        err = listed_hash_check(walk, entry, HASH_SHA256, text, why);
    return err == ISG_ENOENT ? ISG_OK : err;
}

int csaf_document_map(struct csaf_walk *walk, const struct csaf_entry *entry,
                      const struct feed_response *response, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    struct isg_str text = isg_buf_str(&response->body);
    struct csaf_record known = csaf_table_file(&walk->table, entry->url);
    char hex[HASH_HEX];
    int err = hash_check(walk, entry, text, why);
    if (err != ISG_OK)
        return err;
    hash_hex(HASH_SHA512, text, hex);
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
