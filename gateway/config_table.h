/*
 * Every setting, one row each: what config.c checks, prints and documents, and what config_yaml.c
 * builds its schema from. For config*.c only.
 */
#ifndef GATEWAY_CONFIG_TABLE_H
#define GATEWAY_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/config.h"

enum setting_type {
    SETTING_TEXT,     /* any text without control characters */
    SETTING_WORD,     /* letters, digits, '.', '_', '-'; at most 64 */
    SETTING_PATH,     /* relative ones are below the instance directory */
    SETTING_ADDRESS,  /* HOST:PORT */
    SETTING_WEB,      /* http:// or https:// */
    SETTING_PUBLIC,   /* the public URL: also without path and slash */
    SETTING_REDIS,    /* unix:PATH or redis://HOST:PORT[/DB] */
    SETTING_URN,      /* urn:NID:NSS */
    SETTING_PROXY,    /* http://, https:// or socks5h://HOST:PORT */
    SETTING_NETWORKS, /* addresses and ADDRESS/BITS, separated by commas */
    SETTING_CHOICE,   /* one of choices */
    SETTING_COUNT,    /* a number */
    SETTING_BYTES,    /* a number, or with KiB, MiB, GiB */
    SETTING_MS,       /* milliseconds, or with ms, s, m, h */
    SETTING_SECONDS,  /* seconds, or with s, m, h, d */
    SETTING_BOOL      /* true or false */
};

struct setting {
    const char *section; /* "" for the top level */
    const char *key;
    enum setting_type type;
    size_t offset;        /* in struct config; in the entry's struct for a list */
    const char *fallback; /* as it would stand in the file; NULL: none */
    uint32_t min;         /* of numbers */
    uint32_t max;
    const char *choices; /* "a|b|c" */
    bool required;       /* in each entry of a list */
    const char *meaning; /* one sentence */
};

/* A section, in the order of the file; its rows are neighbours in the table. */
struct setting_section {
    const char *name;
    const char *meaning;
    size_t entry_bytes;  /* of a list's entry struct; 0: not a list */
    size_t list_offset;  /* of the pointer to the entries in struct config */
    size_t count_offset; /* of their number */
};

enum { SETTING_SECTIONS = 12, SETTING_ROWS_MAX = 128, SETTING_ENTRIES_MAX = 1000 };

extern const struct setting setting_rows[];
extern const size_t setting_rows_count;
extern const struct setting_section setting_sections[SETTING_SECTIONS]; /* [0] is the top level */

/* Rows of a section: index of the first and how many. */
size_t setting_first(size_t section, size_t *out_count);

/* "feeds[2].interval" or "limits.page_max" or "listen"; item counts from 0. */
void setting_name(const struct setting *row, size_t item, char *out, size_t size);

/* The environment variable that overrides a scalar: ISG_LIMITS_PAGE_MAX. */
void setting_env_name(const struct setting *row, char *out, size_t size);

/* A count, bytes or a time: kept as a number. Others are kept as text. */
bool setting_is_number(enum setting_type type);
/* What a value of this type is called in messages: "text", "URL", "number". */
const char *setting_type_name(enum setting_type type);

/*
 * NULL when text may be the value of row, else what is wrong with it ("is out of range"). The
 * number of a number, 1 for true, goes to out_number.
 */
const char *setting_check(const struct setting *row, struct isg_str text, uint64_t *out_number);

/* The rules between the settings of one feed: as config_check_rules; names begin with "feeds: ". */
const char *config_check_feed(const struct feed_def *feed);

/* The rules between settings: NULL, or one sentence on the first that is broken. */
const char *config_check_rules(const struct config *config);

enum setting_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENV };

/* What config_load really makes: the origins ride behind the public part. */
struct config_loaded {
    struct config config; /* first, so that a pointer to it is a pointer to all */
    char *file;           /* as it was named */
    struct {
        enum setting_origin from;
        unsigned line;
    } origins[SETTING_ROWS_MAX]; /* of scalars; lists come from the file */
};

/*
 * The file as read: texts by row, not yet judged. config_yaml.c is the only file that knows the
 * YAML library.
 */
struct config_yaml;

/* ISG_OK, ISG_EUSAGE (why names key and line), ISG_ELIMIT, ISG_ENOMEM. text may be empty. */
int config_yaml_parse(struct isg_str text, const char *file, struct config_yaml **out,
                      struct isg_fail *why);
/* Free the tree, and with it all texts it lent; accepts NULL, leaves NULL. */
void config_yaml_free(struct config_yaml **yaml);

/* Entries of a list section. */
size_t config_yaml_items(const struct config_yaml *yaml, size_t section);

/* The text of a row (in entry item of a list), or NULL when it is not in the file (or null). */
const char *config_yaml_value(const struct config_yaml *yaml, size_t row, size_t item);

/*
 * Line of a key in the file; that of its section where it has no line of its own; 0 when it is not
 * found. section "" for the top level.
 */
unsigned config_yaml_line(const struct config_yaml *yaml, const char *section, size_t item,
                          const char *key);

#endif
