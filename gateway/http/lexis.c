#include "gateway/http/lexis.h"

#include "gateway/http/http.h"
#include "stix/base/utf8.h"

/* Asked for each byte of every header's name: a bit per byte, for those below 64 and above. */
bool http_is_token_byte(char c)
{
    static const uint64_t tokens[2] = {
        UINT64_C(0x03ff6cfa00000000), /* ! # $ % & ' * + - . and digits */
        UINT64_C(0x57ffffffc7fffffe), /* letters and ^ _ ` | ~ */
    };
    unsigned char byte = (unsigned char)c;
    return byte < 128 && (tokens[byte / 64] >> (byte % 64) & 1) != 0;
}

bool http_is_token(struct isg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!http_is_token_byte(s.p[i]))
            return false;
    return s.n > 0;
}

bool http_is_field_text(struct isg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool http_hex_digit(char c, uint8_t *out)
{
    if (c >= '0' && c <= '9')
        *out = (uint8_t)(c - '0');
    else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        *out = (uint8_t)((c | 0x20) - 'a' + 10);
    else
        return false;
    return true;
}

int http_escape_at(struct isg_str s, size_t at)
{
    uint8_t byte;
    if (at >= s.n || s.n - at < 3 || s.p[at] != '%')
        return -1;
    return isg_hex_decode((struct isg_str){s.p + at + 1, 2}, &byte, 1) ? byte : -1;
}

bool http_unescape(struct isg_arena *arena, struct isg_str raw, struct isg_str *out)
{
    char *text = isg_arena_alloc(arena, raw.n + 1);
    if (text == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        int c = (unsigned char)raw.p[i];
        if (c == '%') {
            c = http_escape_at(raw, i);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return false;
        text[n++] = (char)(unsigned char)c;
    }
    struct isg_str value = {text, n};
    if (!isg_utf8_is_valid(value))
        return false;
    *out = value;
    return true;
}
