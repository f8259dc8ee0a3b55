#include "gateway/ingest/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/version.h"
#include "gateway/ingest/merge.h"
#include "stix/base/jsonw.h"

static const char relationship[] = "relationship--";

/* ---- versions of documents ------------------------------------------------------------------ */

static int doc_get(struct ingest_run *run, const char *prefix, const char *name,
                   struct stix_json **out, struct isg_fail *why)
{
    struct isg_buf path;
    struct isg_buf text;
    isg_buf_init(&path, 1024);
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_printf(&path, "%s/%s%s", run->collection->id, prefix, name);
    int err = path.err != ISG_OK
                  ? isg_fail(why, path.err, "no memory")
                  : store_doc_get(run->store, STORE_FACET, isg_buf_str(&path), &text, why);
    if (err == ISG_OK)
        err = stix_json_parse(isg_buf_str(&text), NULL, out, why);
    isg_buf_done(&text);
    isg_buf_done(&path);
    return err == ISG_ENOENT ? ISG_OK : err;
}

/* The document of the run is from now on this version of the one named doc. */
static int judge(struct ingest_run *run, const char *doc, const char *version, struct isg_fail *why)
{
    struct stix_json *known = NULL;
    int err = doc_get(run, "@", doc, &known, why);
    struct isg_str before = stix_json_get_str(known, "version");
    run->document_stale = before.n > 0 && version_cmp(isg_str_of(version), before) == VERSION_LESS;
    stix_json_free(&known);
    return err;
}

/* `KEY=VERSION` or `KEY=VERSION#N`: N tells several parts of one object in a document apart. */
struct tag {
    char doc[DOCUMENT_KEY_MAX];
    char part[DOCUMENT_KEY_MAX];
    char version[DOCUMENT_KEY_MAX]; /* empty: none */
};

static int tag_read(const char *text, struct tag *out, struct isg_fail *why)
{
    const char *equals = strrchr(text, '=');
    size_t doc = equals == NULL ? strlen(text) : (size_t)(equals - text);
    const char *version = equals == NULL ? "" : equals + 1;
    size_t n = strcspn(version, "#");
    if (strlen(text) >= DOCUMENT_KEY_MAX)
        return isg_fail(why, ISG_EINVAL, "the key of an object's part is too long");
    (void)snprintf(out->doc, sizeof out->doc, "%.*s", (int)doc, text);
    (void)snprintf(out->part, sizeof out->part, "%.*s%s", (int)doc, text, version + n);
    (void)snprintf(out->version, sizeof out->version, "%.*s", (int)n, version);
    return ISG_OK;
}

/* Objects of one document come together: it is judged once. */
static int enter(struct ingest_run *run, const struct tag *tag, struct isg_fail *why)
{
    int err = ISG_OK;
    if (strcmp(run->document, tag->doc) == 0 && strcmp(run->document_version, tag->version) == 0)
        return ISG_OK;
    run->document[0] = '\0';
    if (run->staged_count > 0 && !run->hold)
        err = run_flush(run, why);
    if (err == ISG_OK)
        err = judge(run, tag->doc, tag->version, why);
    if (err == ISG_OK) {
        memcpy(run->document, tag->doc, sizeof tag->doc);
        memcpy(run->document_version, tag->version, sizeof tag->version);
    }
    return err;
}

int document_enter(struct ingest_run *run, const char *facet, char key[DOCUMENT_KEY_MAX],
                   bool *out_stale, struct isg_fail *why)
{
    struct tag tag;
    bool part = facet[0] != '@';
    int err = tag_read(part ? facet : facet + 1, &tag, why);
    *out_stale = false;
    if (err == ISG_OK && tag.version[0] != '\0') {
        err = enter(run, &tag, why);
        *out_stale = run->document_stale;
    }
    (void)snprintf(key, DOCUMENT_KEY_MAX, "%s", err == ISG_OK && part ? tag.part : "");
    return err;
}

/* Beside the parts, with the next batch. */
static int version_note(struct ingest_run *run, struct isg_fail *why)
{
    struct isg_buf name;
    struct isg_buf text;
    struct isg_jsonw w;
    isg_buf_init(&name, 1024);
    isg_buf_init(&text, 1024);
    isg_buf_printf(&name, "%s/@%s", run->collection->id, run->document);
    isg_jsonw_init(&w, &text);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "version", run->document_version);
    isg_jsonw_end(&w);
    int err = name.err != ISG_OK ? isg_fail(why, name.err, "no memory")
                                 : facet_keep(run, isg_buf_str(&name), &text, why);
    isg_buf_done(&text);
    isg_buf_done(&name);
    return err;
}

/* ---- what is no longer said ----------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return isg_str_cmp(*(const struct isg_str *)a, *(const struct isg_str *)b);
}

/* The relationships among object_refs, sorted; free the list. */
static struct isg_str *relationships_of(const struct stix_json *report, size_t *out_count)
{
    const struct stix_json *refs = stix_json_get(report, "object_refs");
    struct isg_str *list = calloc(stix_json_size(refs) + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; list != NULL && i < stix_json_size(refs); i++) {
        struct isg_str id = stix_json_str(stix_json_at(refs, i));
        if (isg_str_starts(id, isg_str_of(relationship)))
            list[n++] = id;
    }
    if (n > 1)
        qsort(list, n, sizeof *list, by_text);
    *out_count = n;
    return list;
}

/* The part as it ends at this time. */
static void write_ended(const struct stix_json *part, struct isg_str when, struct isg_buf *out)
{
    struct stix_json_walk walk;
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    stix_json_walk(part, &walk);
    while (stix_json_next(&walk)) {
        if (strcmp(walk.name, "modified") == 0)
            continue;
        isg_jsonw_name(&w, walk.name);
        merge_put_value(&w, walk.value);
    }
    isg_jsonw_put_str(&w, "modified", when);
    isg_jsonw_put_str(&w, "stop_time", when);
    isg_jsonw_end(&w);
}

static int end_one(struct ingest_run *run, const char *id, const char *key, struct isg_str when,
                   document_add *add, struct isg_fail *why)
{
    struct stix_json *document = NULL;
    struct isg_buf text;
    isg_buf_init(&text, RUN_OBJECT_MAX);
    int err = doc_get(run, "", id, &document, why);
    const struct stix_json *part = stix_json_get(document, key);
    if (err == ISG_OK && part != NULL && !stix_json_has(part, "stop_time")) {
        write_ended(part, when, &text);
        run->counts.total++;
        err = text.err != ISG_OK ? isg_fail(why, text.err, "no memory")
                                 : add(run, isg_buf_str(&text), key, why);
    }
    isg_buf_done(&text);
    stix_json_free(&document);
    return err;
}

static int end_dropped(struct ingest_run *run, const struct stix_json *before,
                       const struct stix_json *report, const char *key, document_add *add,
                       struct isg_fail *why)
{
    size_t old_count, new_count;
    struct isg_str *old = relationships_of(before, &old_count);
    struct isg_str *now = relationships_of(report, &new_count);
    struct isg_str when = stix_json_get_str(report, "modified");
    int err = old == NULL || now == NULL ? isg_fail(why, ISG_ENOMEM, "no memory") : ISG_OK;
    for (size_t i = 0; err == ISG_OK && i < old_count; i++) {
        if (new_count == 0 || bsearch(&old[i], now, new_count, sizeof *now, by_text) == NULL)
            err = end_one(run, old[i].p, key, when, add, why);
    }
    free(old);
    free(now);
    return err;
}

int document_report(struct ingest_run *run, const struct stix_json *report, const char *key,
                    document_add *add, struct isg_fail *why)
{
    struct stix_json *document = NULL;
    const char *id = stix_json_get_str(report, "id").p;
    int err = doc_get(run, "", id, &document, why);
    const struct stix_json *before = stix_json_get(document, key);
    if (err == ISG_OK && before != NULL)
        err = end_dropped(run, before, report, key, add, why);
    stix_json_free(&document);
    return err == ISG_OK && run->document[0] != '\0' ? version_note(run, why) : err;
}
