#include "stix/base/utf8.h"

#include <string.h>

struct lead {
    unsigned char mask;
    unsigned char bits;
    unsigned char bytes;
    uint32_t least; /* smaller values are overlong */
};

static const struct lead leads[] = {
    {0x80, 0x00, 1, 0x0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if ((byte & leads[i].mask) == leads[i].bits)
            return &leads[i];
    return NULL;
}

int32_t isg_utf8_next(struct isg_str *rest)
{
    if (rest->n == 0)
        return -1;
    const unsigned char *p = (const unsigned char *)rest->p;
    const struct lead *lead = lead_of(p[0]);
    if (lead == NULL || rest->n < lead->bytes)
        return -2;
    uint32_t cp = p[0] & (unsigned char)~lead->mask;
    for (size_t i = 1; i < lead->bytes; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -2;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    if (cp < lead->least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        return -2;
    rest->p += lead->bytes;
    rest->n -= lead->bytes;
    return (int32_t)cp;
}

/* Eight bytes at a time while they are ASCII: nearly all of what passes is. */
static struct isg_str skip_ascii(struct isg_str s)
{
    while (s.n >= 8) {
        uint64_t word;
        memcpy(&word, s.p, sizeof word);
        if ((word & 0x8080808080808080u) != 0)
            break;
        s.p += 8;
        s.n -= 8;
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
    out[0] = (char)(leads[bytes - 1].bits | cp);
    return bytes;
}
