/* The only file that knows libunistring. */
#include "stix/nfc.h"

#include <errno.h>
#include <stdlib.h>
#include <uninorm.h>

/* Below U+0300, where the combining marks begin, every character is its own form C. */
static bool is_plain(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= 0xcc)
            return false;
    return true;
}

int stix_nfc(struct isg_str text, struct isg_str *out, char **scratch)
{
    size_t n = 0;
    *scratch = NULL;
    if (is_plain(text)) {
        *out = text;
        return ISG_OK;
    }
    uint8_t *form = u8_normalize(UNINORM_NFC, (const uint8_t *)text.p, text.n, NULL, &n);
    if (form == NULL)
        return errno == ENOMEM ? ISG_ENOMEM : ISG_EPARSE;
    *scratch = (char *)form;
    *out = (struct isg_str){*scratch, n};
    return ISG_OK;
}
