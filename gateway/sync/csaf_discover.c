/*
 * Where a provider keeps its metadata, of which only the domain is known (CSAF 2.0, 7.3.1): the
 * well-known URL and security.txt in all cases, for the latter may name further metadata; the DNS path
 * only when both have none.
 */
#include <string.h>

#include "gateway/sync/csaf_private.h"

/* The search: how much was found, and the first thing that was there and of no use. */
struct search {
    struct csaf_walk *walk;
    const char *host; /* ends with a slash */
    size_t found;
    struct isg_fail useless;
};

/* The provider cannot be asked, or the run has to end; anything else is an answer, if of no use. */
static bool is_silent(int err)
{
    return csaf_is_fatal(err) || err == ISG_ENET || err == ISG_EBUSY;
}

static int fail_as(struct isg_fail *why, const struct isg_fail *own)
{
    if (why != NULL)
        *why = *own;
    return own->code;
}

/* Read metadata at url. That there is none is no failure of the search. */
static int look_at(struct search *search, const char *url, struct isg_fail *why)
{
    struct isg_fail own = {.code = ISG_OK};
    if (url == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    bool again = false;
    int err = csaf_json_run(search->walk, url, &again, &own);
    if (is_silent(err))
        return fail_as(why, &own);
    if (err == ISG_OK)
        search->found += !again; /* what was of no use before is not found now */
    else if (err != ISG_ENOENT && search->useless.code == ISG_OK)
        search->useless = own;
    return ISG_OK;
}

static int well_known_run(struct search *search, struct isg_fail *why)
{
    static const char path[] = ".well-known/csaf/provider-metadata.json";
    return look_at(search, isg_arena_printf(search->walk->arena, "%s%s", search->host, path), why);
}

/* ---- security.txt --------------------------------------------------------------------------- */

/* One that leads nowhere costs itself. */
static int security_line_run(struct search *search, const char *base, struct isg_str reference,
                             struct isg_fail *why)
{
    struct csaf_walk *walk = search->walk;
    struct isg_fail own = {.code = ISG_OK};
    const char *url = csaf_url(walk, base, reference, &own);
    bool again = false;
    int err = url == NULL ? own.code : csaf_json_run(walk, url, &again, &own);
    if (csaf_is_fatal(err) || err == ISG_EBUSY)
        return fail_as(why, &own);
    if (err == ISG_OK)
        search->found += !again;
    else
        csaf_failed(walk->run, url == NULL ? "a line of security.txt" : url, &own);
    return ISG_OK;
}

/* The lines `CSAF: URL` (RFC 9116). */
static int security_lines_run(struct search *search, const char *base, struct isg_str text,
                              struct isg_fail *why)
{
    static const char name[] = "CSAF:";
    const size_t n = sizeof name - 1;
    struct isg_str line;
    int err = ISG_OK;
    while (err == ISG_OK && isg_str_split(&text, '\n', &line)) {
        line = isg_str_trim(line);
        if (line.n > n && isg_str_ieq((struct isg_str){line.p, n}, isg_str_of(name)))
            err = security_line_run(search, base, isg_str_trim(isg_str_from(line, n)), why);
    }
    return err;
}

/* At its place, or where it stood before it had one. */
static int security_txt_run(struct search *search, struct isg_fail *why)
{
    static const char *const places[] = {".well-known/security.txt", "security.txt"};
    struct csaf_walk *walk = search->walk;
    int err = ISG_ENOENT;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && err == ISG_ENOENT; i++) {
        struct feed_response response = {0};
        struct isg_fail own = {.code = ISG_OK};
        const char *url = isg_arena_printf(walk->arena, "%s%s", search->host, places[i]);
        if (url == NULL)
            return isg_fail(why, ISG_ENOMEM, "no memory");
        err = feed_run_get(walk->run, url, NULL, NULL, &response, &own);
        if (err == ISG_OK)
            err = security_lines_run(search, url, isg_buf_str(&response.body), &own);
        feed_response_done(&response);
        if (err == ISG_ENET && search->found > 0) { /* the well-known URL has told where */
            csaf_failed(walk->run, url, &own);
            return ISG_OK;
        }
        if (is_silent(err))
            return fail_as(why, &own);
    }
    return ISG_OK;
}

/* ---- the DNS path --------------------------------------------------------------------------- */

/* The domain that a host is of; empty for an address and for a name without a dot. */
static struct isg_str domain_of(const char *url)
{
    struct isg_str host = csaf_host_of(url);
    if (isg_str_starts(host, ISG_STR("www.")))
        host = isg_str_from(host, 4);
    bool dotted = isg_str_find(host, '.') != SIZE_MAX;
    bool digits = host.n == 0 || (host.p[host.n - 1] >= '0' && host.p[host.n - 1] <= '9');
    return dotted && !digits && host.p[0] != '[' ? host : (struct isg_str){NULL, 0};
}

/*
 * csaf.data.security.DOMAIN serves the metadata itself. It is another server than the feed's URL names,
 * so it gets no credentials; but what it says of itself counts like what that one says.
 */
static int dns_path_run(struct search *search, struct isg_fail *why)
{
    struct csaf_walk *walk = search->walk;
    struct isg_fail own = {.code = ISG_OK};
    struct isg_str domain = domain_of(search->host);
    size_t before = search->found;
    if (domain.n == 0)
        return ISG_OK;
    walk->dns_path =
        isg_arena_printf(walk->arena, "https://csaf.data.security.%.*s/", ISG_STR_ARG(domain));
    int err = look_at(search, walk->dns_path, &own);
    if (err == ISG_OK && search->found > before)
        return ISG_OK;
    walk->dns_path = NULL;
    return err == ISG_OK || err == ISG_ENET ? ISG_OK
                                            : fail_as(why, &own); /* no such name, no server */
}

/* ---- the search ----------------------------------------------------------------------------- */

static int nothing_found(const struct search *search, struct isg_fail *why)
{
    if (search->useless.code != ISG_OK)
        return fail_as(why, &search->useless);
    struct isg_str domain = domain_of(search->host);
    return isg_fail_at(
        why, ISG_ENOENT, NULL, "CSAF 2.0, 7.3.1",
        "no provider-metadata.json, no CSAF line in security.txt%s%.*s, no directory",
        domain.n > 0 ? ", no server csaf.data.security." : "", ISG_STR_ARG(domain));
}

int csaf_host_run(struct csaf_walk *walk, const char *host, struct isg_fail *why)
{
    struct search search = {.walk = walk, .host = host};
    if (host == NULL)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    int err = well_known_run(&search, why);
    if (err == ISG_OK)
        err = security_txt_run(&search, why);
    if (err == ISG_OK && search.found == 0)
        err = dns_path_run(&search, why);
    if (err != ISG_OK || search.found > 0)
        return err;
    err = csaf_directory_run(walk, host, why);
    bool none = err == ISG_ENOENT || err == ISG_EPARSE;
    return none ? nothing_found(&search, why) : err;
}
