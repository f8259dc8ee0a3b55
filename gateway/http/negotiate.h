/*
 * Media types and raw targets: pure functions over header values, no request, no I/O.
 *
 * Headers are read by RFC 7231's grammar, never by comparing strings (T-022): any case of type and
 * parameter name, blanks around ';' and ',', quoted values, q-values, several ranges, wildcards.
 */
#ifndef GATEWAY_HTTP_NEGOTIATE_H
#define GATEWAY_HTTP_NEGOTIATE_H

#include <stdbool.h>

#include "stix/base/str.h"

/*
 * Does this Accept allow a reply of type (lower case, "application/taxii+json") in this version
 * ("2.1"; NULL: the type has no version)?
 *
 * The most specific range that matches decides, by its q: type with the same version, type alone,
 * "application/" with a star, both stars. A parameter other than version never narrows a range
 * . An absent header (p NULL) or an empty one accepts everything. An element that breaks the
 * grammar is skipped, the others count.
 */
bool http_accepts(struct isg_str accept, const char *type, const char *version);

/*
 * Does this Accept ask for the type itself, with this version or without one? Stars do not count,
 * nor an absent header, nor a q of 0.
 */
bool http_accept_names(struct isg_str accept, const char *type, const char *version);

/* http_accepts of application/taxii+json;version=2.1 (T-010, T-016, T-017). */
bool http_accepts_taxii(struct isg_str accept);

/*
 * Is this Content-Type the given type, without version or with this one? Other parameters are let
 * pass. False for an absent, empty or malformed value and for a list.
 */
bool http_is_content(struct isg_str content_type, const char *type, const char *version);

/* http_is_content of application/taxii+json;version=2.1 (T-018, T-020). */
bool http_is_taxii_content(struct isg_str content_type);

/*
 * Does this Accept-Encoding prefer gzip to the plain form? `gzip` (or `x-gzip`), else `*`, decides
 * by its q; 0 refuses, and an identity of higher q wins. An absent header (p NULL) or an empty one
 * gets the plain form; an element that breaks the grammar is skipped (RFC 9110, 12.5.3).
 */
bool http_accepts_gzip(struct isg_str accept_encoding);

/*
 * Cut the next `name=value` from a raw query; both stay percent-encoded (http_unescape decodes).
 * A piece without '=' gives an empty value with p not NULL; empty pieces ("a=1&&b=2") are skipped.
 * Returns false when nothing is left.
 */
bool http_query_next(struct isg_str *rest, struct isg_str *name_raw, struct isg_str *value_raw);

#endif
