#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sync/csaf_private.h"
#include "stix/base/jsonw.h"
#include "stix/base/utf8.h"
#include "stix/json.h"

static void document_name(const struct feed_run *run, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "files:%s", run->def->name);
}

int csaf_table_load(struct feed_run *run, struct isg_arena *arena, struct csaf_table *out,
                    struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_buf text;
    int64_t converter;
    *out = (struct csaf_table){.arena = arena};
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    document_name(run, name);
    int err = store_doc_get(run->parts->store, STORE_FEED_STATE, isg_str_of(name), &text, why);
    if (err == ISG_OK && stix_json_parse(isg_buf_str(&text), NULL, &out->old, NULL) == ISG_OK &&
        (!run->same_source || !stix_json_int(stix_json_get(out->old, "converter"), &converter) ||
         converter != FEED_CONVERTER_VERSION))
        stix_json_free(&out->old);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err;
}

void csaf_table_done(struct csaf_table *table)
{
    stix_json_free(&table->old);
}

static struct csaf_record read_record(const char *url, const struct stix_json *json)
{
    return (struct csaf_record){url, stix_json_get_str(json, "t"), stix_json_get_str(json, "h"),
                                stix_json_get_str(json, "e")};
}

struct csaf_record csaf_table_file(const struct csaf_table *table, const char *url)
{
    return read_record(url, stix_json_get(stix_json_get(table->old, "files"), url));
}

struct csaf_record csaf_table_list(const struct csaf_table *table, const char *url)
{
    return read_record(url, stix_json_get(stix_json_get(table->old, "lists"), url));
}

static struct isg_str copy_of(struct isg_arena *arena, struct isg_str text)
{
    if (!isg_utf8_is_valid(text))
        return (struct isg_str){NULL, 0}; /* it would spoil the whole table */
    const char *copy = isg_arena_copy(arena, text);
    return (struct isg_str){copy, copy == NULL ? 0 : text.n};
}

bool csaf_table_note(struct csaf_table *table, struct csaf_records *records,
                     const struct csaf_record *record)
{
    if (records->count == records->room) {
        size_t room = records->room == 0 ? 64 : records->room * 2;
        struct csaf_record *items = isg_arena_alloc(table->arena, room * sizeof *items);
        if (items == NULL)
            return false;
        if (records->count > 0)
            memcpy(items, records->items, records->count * sizeof *items);
        records->items = items;
        records->room = room;
    }
    struct csaf_record *copy = &records->items[records->count++];
    copy->url = isg_arena_copy(table->arena, isg_str_of(record->url));
    copy->stamp = copy_of(table->arena, record->stamp);
    copy->hash = copy_of(table->arena, record->hash);
    copy->etag = copy_of(table->arena, record->etag);
    return copy->url != NULL;
}

static int by_url(const void *a, const void *b)
{
    return strcmp(((const struct csaf_record *)a)->url, ((const struct csaf_record *)b)->url);
}

static void put_some(struct isg_jsonw *w, const char *name, struct isg_str text)
{
    if (text.n > 0)
        isg_jsonw_put_str(w, name, text);
}

static void record_write(struct isg_jsonw *w, const struct csaf_record *record)
{
    isg_jsonw_name(w, record->url);
    isg_jsonw_object(w);
    put_some(w, "t", record->stamp);
    put_some(w, "h", record->hash);
    put_some(w, "e", record->etag);
    isg_jsonw_end(w);
}

/* What this run did not come across stays: a list may be unchanged, a provider may forget. */
static void records_write(struct isg_jsonw *w, const char *name, struct csaf_records *records,
                          const struct stix_json *old)
{
    struct stix_json_walk walk;
    if (records->count > 1)
        qsort(records->items, records->count, sizeof *records->items, by_url);
    isg_jsonw_name(w, name);
    isg_jsonw_object(w);
    for (size_t i = 0; i < records->count; i++)
        record_write(w, &records->items[i]);
    stix_json_walk(stix_json_get(old, name), &walk);
    while (stix_json_next(&walk)) {
        const struct csaf_record record = read_record(walk.name, walk.value);
        if (records->count == 0 ||
            bsearch(&record, records->items, records->count, sizeof record, by_url) == NULL)
            record_write(w, &record);
    }
    isg_jsonw_end(w);
}

void csaf_table_write(struct csaf_table *table, struct isg_buf *out)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put_int(&w, "converter", FEED_CONVERTER_VERSION);
    records_write(&w, "files", &table->files, table->old);
    records_write(&w, "lists", &table->lists, table->old);
    isg_jsonw_end(&w);
}

int csaf_run_keep(struct feed_run *run, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    if (run->files.len == 0)
        return ISG_OK;
    document_name(run, name);
    return store_doc_put(run->parts->store, STORE_FEED_STATE, isg_str_of(name),
                         isg_buf_str(&run->files), why);
}
