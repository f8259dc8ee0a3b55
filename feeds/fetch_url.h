/* URLs as libcurl reads them. Private to fetch.c. */
#ifndef FEEDS_FETCH_URL_H
#define FEEDS_FETCH_URL_H

#include <stdbool.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "stix/base/err.h"

/* A URL of http or https without credentials; curl_url_cleanup frees it. ISG_EUSAGE, ISG_ENOMEM. */
int url_parse(const char *text, CURLU **out, struct isg_fail *why);

/* Has it this scheme? */
bool url_scheme_is(CURLU *url, const char *scheme);

/* Is the host of both the same, whatever scheme and port are? */
bool url_same_host(const char *a, const char *b);

/* The address that stands in the URL itself, in any spelling, or behind the name localhost. */
bool url_address(CURLU *url, struct sockaddr_storage *out, socklen_t *out_length);

#endif
