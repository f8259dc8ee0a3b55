/* What the writers of the formats share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/share/export_write.h"
#include "stix/base/digest.h"
#include "stix/base/utf8.h"

/* ---- text ---- */

/* Characters that no cell, rule or line may hold, with what some readers take for a line's end. */
static const struct {
    int32_t first;
    int32_t last;
} hidden[] = {
    {0x00, 0x1f},     /* controls: NUL, tab, line feed, carriage return */
    {0x7f, 0x9f},     /* delete, and the controls with NEXT LINE */
    {0x061c, 0x061c}, /* direction marks, which show a line in another order than it has */
    {0x200b, 0x200f}, /* no width */
    {0x2028, 0x202e}, /* LINE and PARAGRAPH SEPARATOR, directions */
    {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffd}, {0xe0000, 0xe007f},
};

static bool is_hidden(int32_t cp)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (cp >= hidden[i].first && cp <= hidden[i].last)
            return true;
    }
    return false;
}

bool export_is_plain(struct isg_str text)
{
    int32_t cp;
    while ((cp = isg_utf8_next(&text)) >= 0) {
        if (is_hidden(cp))
            return false;
    }
    return cp == -1;
}

void export_put_plain(struct isg_buf *out, struct isg_str text, size_t max)
{
    struct isg_str rest = text;
    int32_t cp;
    while ((cp = isg_utf8_next(&rest)) >= 0) {
        size_t n = (size_t)(rest.p - text.p);
        if (n > max)
            return;
        max -= n;
        if (is_hidden(cp))
            isg_buf_putc(out, ' ');
        else
            isg_buf_put(out, text.p, n);
        text = rest;
    }
}

static bool is_word(char c, const char *also)
{
    char lower = (char)(c | 0x20);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') ||
           (c != '\0' && strchr(also, c) != NULL);
}

void export_put_words(struct isg_buf *out, struct isg_str text, const char *also, char other,
                      size_t max)
{
    for (size_t i = 0; i < text.n && i < max; i++) {
        char c = text.p[i];
        if (!is_word(c, also))
            c = other;
        isg_buf_putc(out, c);
    }
}

void export_put_level(struct isg_buf *out, enum stix_tlp tlp)
{
    for (const char *c = stix_tlp_name(tlp); *c != '\0'; c++)
        isg_buf_putc(out, (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
}

void export_put_value(struct isg_buf *out, const struct ioc *ioc)
{
    bool v6 = ioc->kind == IOC_IP_PORT && isg_str_find(ioc->value, ':') != SIZE_MAX;
    if (v6)
        isg_buf_putc(out, '[');
    isg_buf_put_str(out, ioc->value);
    if (v6)
        isg_buf_putc(out, ']');
    if (ioc->kind == IOC_IP_PORT)
        isg_buf_printf(out, ":%u", ioc->port);
}

void export_url(const struct ioc *ioc, struct export_url *out)
{
    struct isg_str rest = ioc->value;
    size_t n = 0;
    *out = (struct export_url){.scheme = {rest.p, isg_str_find(rest, ':')}};
    rest = isg_str_from(rest, out->scheme.n + 3);
    while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
        n++;
    out->path = isg_str_from(rest, n);
    rest.n = n;
    for (size_t at = isg_str_find(rest, '@'); at != SIZE_MAX; at = isg_str_find(rest, '@'))
        rest = isg_str_from(rest, at + 1);
    bool bracketed = isg_str_starts(rest, ISG_STR("["));
    size_t colon = bracketed ? isg_str_find(rest, ']') + 1 : isg_str_find(rest, ':');
    out->host = (struct isg_str){rest.p, colon < rest.n ? colon : rest.n};
    out->port = isg_str_from(rest, out->host.n + 1);
}

/* ---- what was seen ---- */

struct digest {
    uint64_t a, b;
};

struct export_seen {
    struct digest *slots; /* open addressing, at most half full; zeros are free */
    size_t cap;           /* a power of two, or 0 */
    size_t n;
};

static struct digest *slot_of(struct digest *slots, size_t cap, struct digest digest)
{
    size_t at = (size_t)digest.a & (cap - 1);
    while ((slots[at].a | slots[at].b) != 0 && (slots[at].a != digest.a || slots[at].b != digest.b))
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static bool seen_grow(struct export_seen *seen)
{
    size_t cap = seen->cap == 0 ? 1024 : seen->cap * 2;
    struct digest *slots = calloc(cap, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < seen->cap; i++) {
        if ((seen->slots[i].a | seen->slots[i].b) != 0)
            *slot_of(slots, cap, seen->slots[i]) = seen->slots[i];
    }
    free(seen->slots);
    seen->slots = slots;
    seen->cap = cap;
    return true;
}

static struct digest digest_of(struct isg_str text)
{
    uint8_t bytes[ISG_SHA256_BYTES];
    struct digest digest;
    isg_sha256(text, bytes);
    memcpy(&digest, bytes, sizeof digest);
    return digest;
}

bool export_is_new(struct export *run, struct isg_str text)
{
    struct export_seen *seen = run->seen;
    if (seen == NULL)
        seen = run->seen = calloc(1, sizeof *seen);
    if (seen == NULL || (seen->n * 2 >= seen->cap && !seen_grow(seen))) {
        run->err = ISG_ENOMEM;
        return false;
    }
    struct digest digest = digest_of(text);
    struct digest *slot = slot_of(seen->slots, seen->cap, digest);
    if ((slot->a | slot->b) != 0)
        return false;
    *slot = digest;
    seen->n++;
    return true;
}

void export_seen_free(struct export *run)
{
    if (run->seen != NULL)
        free(run->seen->slots);
    free(run->seen);
    run->seen = NULL;
}

/* ---- files ---- */

struct export_file *export_file_add(struct export *run, const char *name)
{
    struct export_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        run->err = ISG_ENOMEM;
        return NULL;
    }
    isg_buf_init(&file->text, ISG_BUF_NO_MAX);
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    *run->files_end = file;
    run->files_end = &file->next;
    return file;
}
