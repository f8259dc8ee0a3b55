/*
 * A document as it came, over the wire or from a file, made the UTF-8 text that mappings read.
 */
#ifndef FEEDS_DOCUMENT_H
#define FEEDS_DOCUMENT_H

#include <stddef.h>

#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"

/*
 * Unpack text where it is a gzip file (of one or several members); anything else stays. At most
 * max_bytes (0: 256 MiB) come out, and at most max_ratio (0: 100) times what went in.
 *
 * Returns ISG_OK; ISG_EPARSE (damaged or cut short), ISG_ELIMIT, ISG_ENOMEM: text is then as
 * it was.
 */
int document_unpack(struct isg_buf *text, size_t max_bytes, unsigned max_ratio,
                    struct isg_fail *why);

/*
 * Turn text into UTF-8 by its byte order mark, else by the charset of content_type (p NULL: none):
 * UTF-8, US-ASCII, ISO-8859-1 (which is read as windows-1252, as browsers do), UTF-16. What is
 * UTF-8 already is never read as anything else: servers say ISO-8859-1 by habit. The mark goes.
 *
 * Returns ISG_OK; ISG_EPARSE (another charset, or half a character), ISG_ELIMIT, ISG_ENOMEM.
 */
int document_decode(struct isg_str content_type, struct isg_buf *text, struct isg_fail *why);

#endif
