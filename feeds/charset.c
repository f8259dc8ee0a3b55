#include <string.h>

#include "feeds/document.h"
#include "stix/base/utf8.h"

enum charset { CHARSET_UTF8, CHARSET_LATIN, CHARSET_UTF16LE, CHARSET_UTF16BE, CHARSET_OTHER };

/* What the bytes 0x80 to 0x9f are in windows-1252; 0: nothing, and the byte stands for itself. */
static const uint16_t high[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

static const struct {
    struct isg_str mark;
    enum charset charset;
} marks[] = {
    {{"\xef\xbb\xbf", 3}, CHARSET_UTF8},
    {{"\xff\xfe", 2}, CHARSET_UTF16LE},
    {{"\xfe\xff", 2}, CHARSET_UTF16BE},
};

static const struct {
    const char *name;
    enum charset charset;
} names[] = {
    {"utf-8", CHARSET_UTF8},       {"utf8", CHARSET_UTF8},          {"us-ascii", CHARSET_UTF8},
    {"ascii", CHARSET_UTF8},       {"iso-8859-1", CHARSET_LATIN},   {"latin1", CHARSET_LATIN},
    {"cp1252", CHARSET_LATIN},     {"windows-1252", CHARSET_LATIN}, {"utf-16", CHARSET_UTF16LE},
    {"utf-16le", CHARSET_UTF16LE}, {"utf-16be", CHARSET_UTF16BE},
};

/* The value of a parameter of a media type, without quotes; empty when there is none. */
static struct isg_str charset_name(struct isg_str content_type)
{
    struct isg_str part;
    struct isg_str key = ISG_STR("charset=");
    (void)isg_str_split(&content_type, ';', &part);
    while (isg_str_split(&content_type, ';', &part)) {
        part = isg_str_trim(part);
        if (part.n < key.n || !isg_str_ieq((struct isg_str){part.p, key.n}, key))
            continue;
        part = isg_str_trim(isg_str_from(part, key.n));
        if (part.n >= 2 && part.p[0] == '"' && part.p[part.n - 1] == '"')
            part = (struct isg_str){part.p + 1, part.n - 2};
        return part;
    }
    return (struct isg_str){0};
}

static enum charset charset_of(struct isg_str name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (isg_str_ieq(name, isg_str_of(names[i].name)))
            return names[i].charset;
    }
    return CHARSET_OTHER;
}

static void put(struct isg_buf *out, uint32_t cp)
{
    char bytes[4];
    isg_buf_put(out, bytes, isg_utf8_put(cp, bytes));
}

static void from_latin(struct isg_str text, struct isg_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        uint32_t cp = c >= 0x80 && c < 0xa0 && high[c - 0x80] != 0 ? high[c - 0x80] : c;
        put(out, cp);
    }
}

static uint32_t unit_at(struct isg_str text, size_t at, bool big)
{
    unsigned char a = (unsigned char)text.p[at];
    unsigned char b = (unsigned char)text.p[at + 1];
    return big ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
}

/* False where a surrogate has no partner, or a byte is left over. */
static bool from_utf16(struct isg_str text, bool big, struct isg_buf *out)
{
    size_t i = 0;
    while (i + 1 < text.n) {
        uint32_t cp = unit_at(text, i, big);
        i += 2;
        if (cp >= 0xd800 && cp < 0xe000) {
            uint32_t low = i + 1 < text.n ? unit_at(text, i, big) : 0;
            if (cp >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
                return false;
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        put(out, cp);
    }
    return i == text.n;
}

static int convert(enum charset charset, struct isg_str in, struct isg_buf *text,
                   struct isg_fail *why)
{
    struct isg_buf out;
    bool whole = true;
    isg_buf_init(&out, 3 * in.n + 64); /* a byte gives 3 at most, two bytes 3 */
    if (charset == CHARSET_LATIN)
        from_latin(in, &out);
    else
        whole = from_utf16(in, charset == CHARSET_UTF16BE, &out);
    if (!whole || out.err != ISG_OK) {
        int err = whole ? isg_fail(why, out.err, "the document is too large")
                        : isg_fail(why, ISG_EPARSE, "the document is no whole UTF-16");
        isg_buf_done(&out);
        return err;
    }
    isg_buf_done(text);
    *text = out;
    return ISG_OK;
}

/* Take the first n bytes away. */
static void cut_front(struct isg_buf *text, size_t n)
{
    memmove(text->p, text->p + n, text->len - n);
    text->len -= n;
    text->p[text->len] = '\0';
}

int document_decode(struct isg_str content_type, struct isg_buf *text, struct isg_fail *why)
{
    struct isg_str in = isg_buf_str(text);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (!isg_str_starts(in, marks[i].mark))
            continue;
        if (marks[i].charset != CHARSET_UTF8)
            return convert(marks[i].charset, isg_str_from(in, marks[i].mark.n), text, why);
        cut_front(text, marks[i].mark.n);
        return ISG_OK;
    }
    struct isg_str name = charset_name(content_type);
    enum charset charset = name.n == 0 ? CHARSET_UTF8 : charset_of(name);
    bool wide = charset == CHARSET_UTF16LE || charset == CHARSET_UTF16BE;
    if (charset == CHARSET_UTF8 || (!wide && isg_utf8_is_valid(in)))
        return ISG_OK;
    if (charset == CHARSET_OTHER)
        return isg_fail(why, ISG_EPARSE, "the document's charset is not read");
    return convert(charset, in, text, why);
}
