#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/integration/ingest/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stix/base/time.h"
#include "tests/support/tap.h"

static void must(int err, const struct isg_fail *why, const char *what)
{
    if (err == ISG_OK)
        return;
    printf("Bail out! %s: %s %s\n", what, why->path, why->text);
    exit(1);
}

static void put_documents(struct fixture *f)
{
    static const char *const members[] = {
        "{\"name\":\"alice\",\"kind\":\"hospital\"}",
        "{\"name\":\"bob\",\"kind\":\"hospital\"}",
        "{\"name\":\"mia\",\"kind\":\"mdm\"}",
        "{\"name\":\"stan\",\"kind\":\"isao_staff\"}",
        "{\"name\":\"pat\",\"kind\":\"peer_isao\"}",
        "{\"name\":\"rita\",\"kind\":\"hospital\",\"tlp_max\":\"green\"}",
        "{\"name\":\"wilma\",\"kind\":\"hospital\"}",
    };
    static const char *const collections[] = {
        "{\"title\":\"main\",\"alias\":\"main\",\"read\":\"alice,bob,mia,pat,rita,staff\","
        "\"write\":\"all\"}",
        "{\"title\":\"box\",\"alias\":\"box\",\"handling\":\"submission\",\"publish_to\":\"main\","
        "\"write\":\"all\"}",
    };
    struct isg_fail why;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        must(directory_put_member(f->directory, isg_str_of(members[i]), true, NULL, &why), &why,
             members[i]);
    for (size_t i = 0; i < sizeof collections / sizeof *collections; i++)
        must(directory_put_collection(f->directory, isg_str_of(collections[i]), true, NULL, &why),
             &why, collections[i]);
}

void fixture_open(struct fixture *f)
{
    char path[96];
    struct isg_fail why;
    memset(f, 0, sizeof *f);
    if (access("/usr/bin/redis-server", X_OK) != 0)
        tap_skip_all("no redis-server");
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/isg-ingest-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        tap_skip_all("no temporary folder");
    (void)snprintf(path, sizeof path, "%s/secret", f->dir);
    struct store_options options = {.dir = f->dir};
    f->arena = isg_arena_new((size_t)1 << 30);
    must(store_open(&options, &f->store, &why), &why, "store");
    must(trust_secret_open(path, &f->secret, &why), &why, "secret");
    must(directory_open(f->store, NULL, f->secret, &f->directory, &why), &why, "directory");
    put_documents(f);
    f->registry = directory_get(f->directory);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fixture_close(struct fixture *f)
{
    registry_unref(&f->registry);
    directory_close(&f->directory);
    trust_secret_free(&f->secret);
    store_close(&f->store);
    isg_arena_free(&f->arena);
    (void)nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const struct member *fixture_member(struct fixture *f, const char *name)
{
    return name == NULL ? NULL : registry_member(f->registry, isg_str_of(name));
}

const struct collection *fixture_collection(struct fixture *f, const char *name)
{
    const struct collection *collection = NULL;
    struct isg_fail why;
    must(registry_collection(f->registry, ISG_STR("api"), isg_str_of(name), &collection, &why),
         &why, name);
    return collection;
}

/* ---- objects -------------------------------------------------------------------------------- */

char *fixture_id(struct fixture *f, const char *type, unsigned n)
{
    return isg_arena_printf(f->arena, "%s--00000000-0000-4000-8000-%012u", type, n);
}

char *fixture_version(struct fixture *f, unsigned version)
{
    char text[ISG_TIME_TEXT];
    isg_time_format((INT64_C(1700000000) + version) * 1000000, 3, text);
    return isg_arena_copy(f->arena, isg_str_of(text));
}

static const char *markings(struct fixture *f, const char *tlp)
{
    if (tlp == NULL)
        return "";
    const char *id = stix_tlp_marking_id(stix_tlp_of_name(isg_str_of(tlp)));
    return isg_arena_printf(f->arena, ",\"object_marking_refs\":[\"%s\"]", id);
}

char *fixture_identity(struct fixture *f, unsigned n, unsigned version, const char *tlp,
                       const char *extra)
{
    return isg_arena_printf(f->arena,
                            "{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                            "\"created\":\"%s\",\"modified\":\"%s\",\"name\":\"Ward %u\"%s%s}",
                            fixture_id(f, "identity", n), fixture_version(f, 0),
                            fixture_version(f, version), n, markings(f, tlp), extra);
}

char *fixture_ipv4(struct fixture *f, unsigned n, const char *tlp, const char *extra)
{
    return isg_arena_printf(f->arena,
                            "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"%s\","
                            "\"value\":\"192.0.2.%u\"%s%s}",
                            fixture_id(f, "ipv4-addr", n), n % 256, markings(f, tlp), extra);
}

/* ---- push and see --------------------------------------------------------------------------- */

static char last_message[512];

const char *fixture_message(void)
{
    return last_message;
}

enum ingest_verdict fixture_push(struct fixture *f, const char *collection, const char *member,
                                 const char *object)
{
    struct isg_fail why;
    size_t n = 0;
    struct ingest_source source = {.name = isg_str_of(member == NULL ? "feed" : member),
                                   .member = fixture_member(f, member),
                                   .mode = INGEST_AS_SENT};
    struct ingest_run *run =
        ingest_begin(f->store, fixture_collection(f, collection), &source, true, false);
    char *body = isg_arena_printf(f->arena, "{\"objects\":[%s]}", object);
    must(ingest_envelope(run, isg_str_of(body), &why), &why, "envelope");
    const struct ingest_outcome *outcomes = ingest_outcomes(run, &n);
    enum ingest_verdict verdict = n == 1 ? outcomes[0].verdict : INGEST_FAILED;
    const char *message = n == 1 ? outcomes[0].message : NULL;
    (void)snprintf(last_message, sizeof last_message, "%s", message == NULL ? "" : message);
    ingest_end(&run);
    return verdict;
}

/* "7@3": the number in the id, and the version as fixture_version counts them ("-": none). */
static void name_event(const struct store_event *event, struct isg_buf *out)
{
    int64_t us = 0;
    unsigned long n = strtoul(event->id.p + event->id.n - 12, NULL, 10);
    isg_buf_printf(out, "%s%lu", out->len > 0 ? " " : "", n);
    if (isg_time_parse(event->version, &us))
        isg_buf_printf(out, "@%lld", (long long)(us / 1000000 - 1700000000));
    else
        isg_buf_puts(out, "@-");
}

const char *fixture_see(struct fixture *f, const char *collection, const char *member,
                        struct view_query query, size_t limit)
{
    const struct collection *c = fixture_collection(f, collection);
    struct isg_buf text;
    struct isg_fail why;
    isg_buf_init(&text, 1 << 24);
    query.limit = limit;
    if (query.added_after_us == 0)
        query.added_after_us = INT64_MIN;
    for (;;) {
        struct view_page page;
        const struct view *view = view_of(f->store, c, fixture_member(f, member), f->arena);
        must(view_select(f->store, c, view, &query, true, f->arena, &page, &why), &why, "select");
        for (size_t i = 0; i < page.count; i++)
            name_event(&page.events[i], &text);
        if (!page.more)
            break;
        query.after = page.last;
    }
    const char *copy = isg_arena_copy(f->arena, isg_buf_str(&text));
    isg_buf_done(&text);
    return copy;
}
