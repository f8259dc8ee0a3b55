/*
 * Bytes and escapes of HTTP (RFC 7230, RFC 3986), as pure functions.
 */
#ifndef GATEWAY_HTTP_LEXIS_H
#define GATEWAY_HTTP_LEXIS_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

/* A byte that a method, a header name or a parameter name may hold. */
bool http_is_token_byte(char c);

/* A whole token of at least one byte. */
bool http_is_token(struct isg_str s);

/* No control byte but the tab: what a header value may hold. */
bool http_is_field_text(struct isg_str s);

/* The value of one hex digit of either case. */
bool http_hex_digit(char c, uint8_t *out);

/*
 * The byte a "%hh" escape at offset `at` stands for, or -1 when it is malformed or cut.
 */
int http_escape_at(struct isg_str s, size_t at);

#endif
