#include "stix/base/base64.h"

#include <string.h>

#define STANDARD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static const char *const alphabets[] = {
    [ISG_BASE64_STD] = STANDARD,
    [ISG_BASE64_LAX] = STANDARD,
    [ISG_BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void isg_base64_encode(enum isg_base64 form, const void *bytes, size_t n, struct isg_buf *out)
{
    const unsigned char *p = bytes;
    const char *alphabet = alphabets[form];
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t word = (uint32_t)p[i] << 16;
        if (have > 1)
            word |= (uint32_t)p[i + 1] << 8;
        if (have > 2)
            word |= p[i + 2];
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = (char)(k <= have ? alphabet[word >> (18 - 6 * k) & 63] : '=');
        isg_buf_put(out, four, form != ISG_BASE64_URL ? 4 : have + 1);
    }
}

static int value_of(enum isg_base64 form, char c)
{
    const char *hit = c == '\0' ? NULL : strchr(alphabets[form], c);
    return hit == NULL ? -1 : (int)(hit - alphabets[form]);
}

bool isg_base64_decode(enum isg_base64 form, struct isg_str text, struct isg_buf *out)
{
    if (form != ISG_BASE64_URL) {
        if (text.n % 4 != 0)
            return false;
        for (int k = 0; k < 2 && text.n > 0 && text.p[text.n - 1] == '='; k++)
            text.n--;
    }
    if (text.n % 4 == 1)
        return false;
    uint32_t word = 0;
    size_t bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        int value = value_of(form, text.p[i]);
        if (value < 0)
            return false;
        word = word << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (out != NULL)
                isg_buf_putc(out, (char)(word >> bits & 0xff));
            word &= (1u << bits) - 1;
        }
    }
    return word == 0 || form == ISG_BASE64_LAX;
}
