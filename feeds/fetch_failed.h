/* Why an exchange failed, in words that an operator can act on. Private to fetch.c. */
#ifndef FEEDS_FETCH_FAILED_H
#define FEEDS_FETCH_FAILED_H

#include <curl/curl.h>

#include "feeds/fetch.h"

/*
 * What libcurl says of the exchange (code, and text, which may be empty) as why. Returns ISG_ENET;
 * ISG_EIO when a file that the request names cannot be read or used; ISG_ENOMEM.
 */
int fetch_failed(CURL *curl, const struct feed_request *request, CURLcode code, const char *text,
                 struct isg_fail *why);

#endif
