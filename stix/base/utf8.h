/*
 * UTF-8, checked once at the door (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF) and trusted inside.
 */
#ifndef ISG_BASE_UTF8_H
#define ISG_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "stix/base/str.h"

/* True when all of s is well-formed UTF-8. */
bool isg_utf8_is_valid(struct isg_str s);

/* In place: bytes that are not well-formed, as in a text that was cut, become question marks. */
void isg_utf8_mend(char *text);

/*
 * In place, for a person's terminal: as isg_utf8_mend, and so do control characters (C0, DEL, C1).
 * What is left stands on one line and moves no cursor.
 */
void isg_utf8_printable(char *text);

/*
 * Take the next code point from *rest. Returns it, or -1 when *rest is empty, or -2 when the next
 * bytes are not well-formed (then *rest is not moved).
 */
int32_t isg_utf8_next(struct isg_str *rest);

/* A code point that stands for nothing and that I-JSON refuses (RFC 7493, section 2.1; R-026). */
bool isg_utf8_is_noncharacter(int32_t cp);

/* Write code point cp (at most U+10FFFF, no surrogate) to out[4]; returns the number of bytes. */
size_t isg_utf8_put(uint32_t cp, char out[4]);

#endif
