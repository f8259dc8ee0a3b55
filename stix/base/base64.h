/*
 * Base64 (RFC 4648): the standard alphabet with padding (S-011) and the URL alphabet without
 * (JOSE). Decoding is strict: no blanks, no line breaks, no spare bits that are not zero. Others'
 * data may be read with spare bits of any value, which RFC 4648 leaves to the decoder (3.5) and
 * the standard's own example of an artifact has.
 */
#ifndef ISG_BASE_BASE64_H
#define ISG_BASE_BASE64_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

enum isg_base64 {
    ISG_BASE64_STD,
    ISG_BASE64_URL,
    ISG_BASE64_LAX /* as ISG_BASE64_STD; spare bits are not looked at */
};

/* Append the text form of n bytes. */
void isg_base64_encode(enum isg_base64 form, const void *bytes, size_t n, struct isg_buf *out);

/* Append the bytes of text to out (which may be NULL to check only). False on any other form. */
bool isg_base64_decode(enum isg_base64 form, struct isg_str text, struct isg_buf *out);

#endif
