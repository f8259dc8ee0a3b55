/*
 * Words of the sources made fit for STIX: cleaned text, labels, slugs, times. Pure functions; what
 * they return lives in the arena they are given, or in the caller's array.
 */
#ifndef FEEDS_TEXT_H
#define FEEDS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "stix/base/arena.h"
#include "stix/base/str.h"
#include "stix/base/time.h"

enum { TEXT_LABEL_MAX = 64, TEXT_CVE_MAX = 32 };

/*
 * Trimmed, without NUL, C0 and C1 controls other than tab and newline (feeds digest 2.8), without
 * noncharacters and what is not UTF-8; CR LF becomes LF. Returns the empty view when nothing
 * is left or memory ran out.
 */
struct isg_str text_clean(struct isg_arena *arena, struct isg_str raw);

/*
 * text_clean for what people read: without the tags and comments of HTML (feeds digest 2.8). Their words
 * stay, and so does what only looks like a tag ("<2.0", "<serial number>").
 */
struct isg_str text_prose(struct isg_arena *arena, struct isg_str raw);

/* text_clean, then Latin-1 read as UTF-8 twice is put right where that gives valid UTF-8. */
struct isg_str text_repair(struct isg_arena *arena, struct isg_str raw);

/* The words by which sources say "nothing": "", "none", "null", "n/a", "-" (any case). */
bool text_is_absent(struct isg_str text);

/* A NUL-terminated copy with A to Z in lower case; the empty view when memory ran out. */
struct isg_str text_lower(struct isg_arena *arena, struct isg_str text);

/* Lower case, Latin-1 letters without their accents, runs of anything else one '-'. */
struct isg_str text_slug(struct isg_arena *arena, struct isg_str text);

/* `<source>:<tag>`, lower case, clean, at most TEXT_LABEL_MAX bytes; source may be empty. */
struct isg_str text_label(struct isg_arena *arena, const char *source, struct isg_str tag);

/* At most max bytes of text, cut between code points; with an ellipsis where something was cut. */
struct isg_str text_shorten(struct isg_arena *arena, struct isg_str text, size_t max);

/* `YYYY-MM-DD` as midnight UTC with three fraction digits; false on another form. */
bool text_day(struct isg_str day, char out[ISG_TIME_TEXT]);

/*
 * RFC 3339 time of any precision, with Z, an offset (colon optional) or none (UTC), to three
 * digits, cut and not rounded (feeds digest 2.5); false on another form.
 */
bool text_time(struct isg_str text, char out[ISG_TIME_TEXT]);

/* A CVE identifier of any case, to upper case; false on another form (digest 3.2). */
bool text_cve(struct isg_str text, char out[TEXT_CVE_MAX]);

/* `CWE-` and digits, upper case. */
bool text_is_cwe(struct isg_str text);

/* An http or https URL that may stand in external_references: no blanks, no controls, ASCII. */
bool text_is_web_url(struct isg_str text);

/* A list of views in an arena. */
struct text_list {
    struct isg_str *items;
    size_t count;
    size_t room;
};

/* Append unless it is empty; false when memory ran out. */
bool text_list_add(struct isg_arena *arena, struct text_list *list, struct isg_str item);

/* Byte order, each once. */
void text_list_sort(struct text_list *list);

#endif
