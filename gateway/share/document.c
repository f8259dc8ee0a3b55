#include "gateway/share/document.h"

#include <stdio.h>

int document_refuse(const struct document_read *read, const char *text)
{
    return isg_fail_at(read->why, ISG_EINVAL, read->path, NULL, "%s", text);
}

bool document_is_clean(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    }
    return true;
}

int document_text(struct document_read *read, const struct stix_json *value, size_t max, char **out)
{
    if (value == NULL) {
        *out = NULL;
        return ISG_OK;
    }
    struct isg_str text = stix_json_str(value);
    if (stix_json_type(value) != STIX_JSON_STRING || text.n == 0 || text.n > max)
        return isg_fail_at(read->why, ISG_EINVAL, read->path, NULL, "a text of 1 to %zu bytes",
                           max);
    if (!document_is_clean(text))
        return document_refuse(read, "a text without control characters");
    char *copy = isg_arena_copy(read->arena, text);
    if (copy == NULL)
        return isg_fail(read->why, ISG_ENOMEM, "no memory");
    *out = copy;
    return ISG_OK;
}

static const struct document_field *find(const struct document_field *fields, size_t n,
                                         const char *name, enum document_where where)
{
    for (size_t i = 0; i < n; i++) {
        if ((fields[i].where & where) != 0 && isg_str_is(isg_str_of(name), fields[i].name))
            return &fields[i];
    }
    return NULL;
}

/* '/' and the name as a JSON Pointer escapes it; what does not fit is cut. */
static void pointer_of(const char *name, char *out, size_t max)
{
    size_t n = 0;
    out[n++] = '/';
    for (const char *p = name; *p != '\0' && n + 3 < max; p++) {
        if (*p == '~' || *p == '/') {
            out[n++] = '~';
            out[n++] = *p == '~' ? '0' : '1';
        } else {
            out[n++] = (char)((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
        }
    }
    out[n] = '\0';
}

int document_apply(const struct document_field *fields, size_t n, const struct stix_json *json,
                   enum document_where where, struct document_read *read)
{
    read->path = "";
    if (stix_json_type(json) != STIX_JSON_OBJECT)
        return document_refuse(read, "a JSON object");
    struct stix_json_walk walk;
    stix_json_walk(json, &walk);
    while (stix_json_next(&walk)) {
        char path[96];
        pointer_of(walk.name, path, sizeof path);
        read->path = path;
        const struct document_field *field = find(fields, n, walk.name, where);
        int err =
            field == NULL ? document_refuse(read, "no such member") : field->set(read, walk.value);
        read->path = "";
        if (err != ISG_OK)
            return err;
    }
    return ISG_OK;
}
