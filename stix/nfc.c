/* The only file that knows libunistring. */
#include "stix/nfc.h"

#include <errno.h>
#include <stdlib.h>
#include <unictype.h>
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

/* How the first letter from points[at] on joins, past the marks on it; step is 1 or -1. */
static int joining_of(const int32_t *points, size_t n, size_t at, size_t step)
{
    int type = UC_JOINING_TYPE_T;
    for (; at < n && type == UC_JOINING_TYPE_T; at += step)
        type = uc_joining_type((ucs4_t)points[at]);
    return type;
}

bool stix_joiner_fits(const int32_t *points, size_t n, size_t at)
{
    if (at > 0 && uc_combining_class((ucs4_t)points[at - 1]) == UC_CCC_VR)
        return true;
    int left = joining_of(points, n, at - 1, (size_t)-1);
    int right = joining_of(points, n, at + 1, 1);
    return points[at] == STIX_JOINER_NONE &&
           (left == UC_JOINING_TYPE_L || left == UC_JOINING_TYPE_D) &&
           (right == UC_JOINING_TYPE_R || right == UC_JOINING_TYPE_D);
}
