/*
 * Building pages from the store, and the keys they are kept under. All of it may wait.
 */
#ifndef GATEWAY_TAXII_BUILD_H
#define GATEWAY_TAXII_BUILD_H

#include "gateway/share/view.h"
#include "gateway/taxii/call.h"

/* Who sees the same and asks the same gets the same page. */
void page_key_make(const struct call *call, const struct view *view, struct page_key *out);

/* A page with `next` holds a token of one member, so its key holds the member too. */
void page_key_for_member(const struct page_key *shared, struct isg_str member,
                         struct page_key *out);

/* The page that call asks for, with one reference. NULL: why says the reason. */
struct page *build_page(struct call *call, const struct view *view, struct isg_fail *why);

/*
 * Build the answers of call's query for every object of a block that this view sees and that has
 * one version only, and keep them. head was confirmed before. What cannot be had is left out.
 */
void build_block(struct call *call, const struct view *view, const struct store_head *head,
                 uint64_t number);

#endif
