/*
 * Names of products as CPE 2.3 formatted strings (S-062): eleven attributes behind "cpe:2.3:".
 */
#ifndef STIX_CPE_H
#define STIX_CPE_H

#include <stdbool.h>

#include "stix/base/buf.h"
#include "stix/base/str.h"

enum stix_cpe_attribute {
    STIX_CPE_PART, /* a, h, o */
    STIX_CPE_VENDOR,
    STIX_CPE_PRODUCT,
    STIX_CPE_VERSION,
    STIX_CPE_UPDATE,
    STIX_CPE_ATTRIBUTES = 11 /* edition, language and four more behind these */
};

/* As written, with their backslashes; views of the text. "*" is any value, "-" that there is none. */
struct stix_cpe {
    struct isg_str attribute[STIX_CPE_ATTRIBUTES];
};

/* Cut a formatted string at the colons that no backslash quotes; false when it is none. */
bool stix_cpe_read(struct isg_str text, struct stix_cpe *out);

/* True for one definite value: neither "*" nor "-", and no wildcard in it. */
bool stix_cpe_is_value(struct isg_str attribute);

/* Append the value without the backslashes of its quoting. */
void stix_cpe_unquote(struct isg_str attribute, struct isg_buf *out);

#endif
