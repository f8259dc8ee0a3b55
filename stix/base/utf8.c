#include "stix/base/utf8.h"

#include <string.h>

#include "stix/base/word.h"

/* First code points of each length; smaller ones in that length are overlong. */
static const int32_t least_of[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t length_of(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

int32_t isg_utf8_next(struct isg_str *rest)
{
    if (rest->n == 0)
        return -1;
    const unsigned char *p = (const unsigned char *)rest->p;
    size_t n = length_of(p[0]);
    if (n == 0 || n > rest->n)
        return -2;
    int32_t cp = n == 1 ? p[0] : p[0] & (0x7f >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -2;
        cp = cp << 6 | (p[i] & 0x3f);
    }
    if (cp < least_of[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return -2;
    rest->p += n;
    rest->n -= n;
    return cp;
}

/* Eight bytes at a time while they are ASCII: nearly all of what passes is. */
static struct isg_str skip_ascii(struct isg_str s)
{
    for (; s.n >= 8; s.p += 8, s.n -= 8) {
        uint64_t high = isg_word_load(s.p) & ISG_WORD_HIGHS;
        if (high != 0)
            return isg_str_from(s, isg_word_first(high));
    }
    return s;
}

bool isg_utf8_is_valid(struct isg_str s)
{
    for (;;) {
        s = skip_ascii(s);
        int32_t cp = isg_utf8_next(&s);
        if (cp < 0)
            return cp == -1;
    }
}

void isg_utf8_mend(char *text)
{
    char *end = text + strlen(text);
    for (struct isg_str rest = {text, (size_t)(end - text)}; rest.n > 0;) {
        char *at = end - rest.n;
        if (isg_utf8_next(&rest) == -2) {
            *at = '?';
            rest = isg_str_from(rest, 1);
        }
    }
}

void isg_utf8_printable(char *text)
{
    isg_utf8_mend(text);
    for (char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool c1 = c == 0xc2 && (unsigned char)p[1] < 0xa0;
        if (c1)
            *p++ = '?';
        if (c1 || c < 0x20 || c == 0x7f)
            *p = '?';
    }
}

bool isg_utf8_is_noncharacter(int32_t cp)
{
    return (cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef);
}

size_t isg_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t bytes = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (char)(0xf00 >> bytes | cp);
    return bytes;
}
