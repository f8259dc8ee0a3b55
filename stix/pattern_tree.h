/*
 * The tree of a STIX pattern. All of it lives in the arena given to the parser.
 *
 * Operators of one level are one node with many children, so the depth of the tree is bounded by
 * the brackets of the text, however long its chains are. Private to stix/.
 */
#ifndef STIX_PATTERN_TREE_H
#define STIX_PATTERN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/base/arena.h"
#include "stix/base/buf.h"
#include "stix/base/err.h"
#include "stix/base/str.h"
#include "stix/pattern.h"

enum { STIX_PATTERN_DEPTH = 64 }; /* brackets within brackets */

enum stix_node {
    /* observation expressions */
    STIX_NODE_FOLLOWEDBY,
    STIX_NODE_OBS_OR,
    STIX_NODE_OBS_AND,
    STIX_NODE_GROUP,       /* ( ... ) with qualifiers; one child */
    STIX_NODE_OBSERVATION, /* [ ... ]; one child, a comparison */
    /* comparison expressions */
    STIX_NODE_OR, /* no child is an OR: brackets that change nothing are gone */
    STIX_NODE_AND,
    STIX_NODE_TEST
};

enum stix_op {
    STIX_OP_EQ, /* = and == */
    STIX_OP_NE, /* != and <> */
    STIX_OP_LT,
    STIX_OP_LE,
    STIX_OP_GT,
    STIX_OP_GE,
    STIX_OP_IN,
    STIX_OP_LIKE,
    STIX_OP_MATCHES,
    STIX_OP_ISSUBSET,
    STIX_OP_ISSUPERSET,
    STIX_OP_EXISTS
};

enum stix_literal_kind {
    STIX_LITERAL_INTEGER,
    STIX_LITERAL_FLOAT,
    STIX_LITERAL_STRING,
    STIX_LITERAL_BOOLEAN,
    STIX_LITERAL_HEX,
    STIX_LITERAL_BINARY,
    STIX_LITERAL_TIMESTAMP
};

struct stix_literal {
    enum stix_literal_kind kind;
    struct isg_str text; /* as written; of strings unescaped, of h'' b'' t'' the inside */
    int64_t integer;
    double number; /* of floats */
    bool boolean;
    struct stix_literal *next; /* of a set */
};

enum stix_step_kind { STIX_STEP_KEY, STIX_STEP_INDEX, STIX_STEP_ANY };

struct stix_step {
    enum stix_step_kind kind;
    struct isg_str key; /* unescaped */
    int64_t index;
    struct stix_step *next;
};

struct stix_path {
    struct isg_str type;
    struct stix_step *first; /* always a key */
    struct stix_step *last;
};

struct stix_test {
    struct stix_path path;
    enum stix_op op;
    bool negated;                  /* NOT */
    struct stix_literal *operands; /* one, or those of a set; none: EXISTS, an empty set */
};

enum stix_qualifier_kind { STIX_START_STOP, STIX_WITHIN, STIX_REPEATS };

struct stix_qualifier {
    enum stix_qualifier_kind kind;
    struct isg_str start; /* timestamps */
    struct isg_str stop;
    double seconds;
    int64_t times;
    size_t offset;
    struct stix_qualifier *next; /* in the order of the text */
};

struct stix_pattern_node {
    enum stix_node kind;
    size_t offset; /* bytes into the text */
    struct stix_pattern_node *first;
    struct stix_pattern_node *last;
    struct stix_pattern_node *next; /* sibling */
    struct stix_test *test;
    struct stix_qualifier *qualifiers;
};

struct stix_pattern {
    struct isg_str text;
    enum stix_pattern_version version;
    struct stix_pattern_node *root;
};

/* An arena large enough for the tree of a text of n bytes and its checks; NULL: no memory. */
struct isg_arena *stix_pattern_arena(size_t n);

/*
 * Parse by the grammar (S-106 to S-108).
 *
 *   text         borrowed by the tree
 *   out_pattern  set on success only; lives in arena
 *
 * Returns ISG_OK, ISG_EPARSE, ISG_EINVAL (a literal out of range), ISG_ELIMIT, ISG_ENOMEM.
 */
int stix_pattern_parse(struct isg_str text, enum stix_pattern_version version,
                       struct isg_arena *arena, struct stix_pattern **out_pattern,
                       struct isg_fail *why);

/* The rules that grammar does not say (S-109 to S-114). Returns ISG_OK, ISG_EINVAL, ISG_ENOMEM. */
int stix_pattern_conform(const struct stix_pattern *pattern, struct isg_arena *arena,
                         struct isg_fail *why);

/* Fill why with code, rule and a text that names the offset in characters; returns code. */
int stix_pattern_fail(struct isg_fail *why, int code, const char *rule, struct isg_str text,
                      size_t offset, const char *message);

/*
 * What evaluating a pattern needs of it, and no more: literals of a set that compare with each
 * other, addresses (S-113) and expressions (S-114) that can be read. Returns as
 * stix_pattern_conform.
 */
int stix_pattern_evaluable(const struct stix_pattern *pattern, struct isg_arena *arena,
                           struct isg_fail *why);

/* True when the path ends at a _bin or _hex property, whose value stands for bytes (S-121). */
bool stix_path_is_of_bytes(const struct stix_path *path);

/* True when the path ends at the value of an address, or of what a reference names (S-113). */
bool stix_path_ends_at_address(const struct stix_path *path);

/* --- texts (pattern_print.c) --- */

/* Append a path in the one form of all that mean the same. */
void stix_path_print(const struct stix_path *path, struct isg_buf *out);
/* Append a literal of this test, likewise. */
void stix_literal_print(const struct stix_literal *literal, const struct stix_test *test,
                        struct isg_buf *out);
/* Append a qualifier with a blank in front, likewise. */
void stix_qualifier_print(const struct stix_qualifier *qualifier, enum stix_pattern_version version,
                          struct isg_buf *out);

/* --- expressions (pattern_regex.c) --- */

struct stix_regex;

/*
 * Whether text compiles as the operand of MATCHES (S-114); bytes: on a _bin or _hex property.
 * Returns ISG_OK; ISG_EINVAL when it does not compile within bounds; ISG_ENOMEM.
 */
int stix_regex_check(struct isg_str text, bool bytes);

/* An expression to search with; *out_regex is set on success only. Returns as stix_regex_check. */
int stix_regex_new(struct isg_str text, bool bytes, struct stix_regex **out_regex);
/* Accepts NULL, leaves NULL. */
void stix_regex_free(struct stix_regex **regex);

/*
 * Search anywhere in subject (UTF-8, or bytes as the expression was made). Returns ISG_OK;
 * ISG_ELIMIT when the search takes too many steps (bounded by the length), ISG_ENOMEM.
 */
int stix_regex_search(const struct stix_regex *regex, struct isg_str subject, bool *out_found);

/* --- tokens (pattern_lex.c) --- */

enum stix_token_kind {
    STIX_TOKEN_END,
    STIX_TOKEN_WRONG, /* no token begins here; message says why */
    STIX_TOKEN_NAME,
    STIX_TOKEN_HYPHENED, /* a name with hyphens: a type, nothing else */
    STIX_TOKEN_LITERAL,
    STIX_TOKEN_AND,
    STIX_TOKEN_OR,
    STIX_TOKEN_NOT,
    STIX_TOKEN_FOLLOWEDBY,
    STIX_TOKEN_LIKE,
    STIX_TOKEN_MATCHES,
    STIX_TOKEN_ISSUBSET,
    STIX_TOKEN_ISSUPERSET,
    STIX_TOKEN_EXISTS,
    STIX_TOKEN_IN,
    STIX_TOKEN_START,
    STIX_TOKEN_STOP,
    STIX_TOKEN_SECONDS,
    STIX_TOKEN_WITHIN,
    STIX_TOKEN_REPEATS,
    STIX_TOKEN_TIMES,
    STIX_TOKEN_EQ,
    STIX_TOKEN_NE,
    STIX_TOKEN_LT,
    STIX_TOKEN_LE,
    STIX_TOKEN_GT,
    STIX_TOKEN_GE,
    STIX_TOKEN_COLON,
    STIX_TOKEN_DOT,
    STIX_TOKEN_COMMA,
    STIX_TOKEN_STAR,
    STIX_TOKEN_OPEN,       /* ( */
    STIX_TOKEN_CLOSE,      /* ) */
    STIX_TOKEN_OPEN_LIST,  /* [ */
    STIX_TOKEN_CLOSE_LIST, /* ] */
};

struct stix_token {
    enum stix_token_kind kind;
    size_t offset; /* bytes into the text */
    struct isg_str text;
    struct stix_literal literal;
    int code;         /* of STIX_TOKEN_WRONG */
    const char *rule; /* likewise */
    const char *message;
};

struct stix_lexer {
    struct isg_str text;
    size_t at;
    enum stix_pattern_version version;
    struct isg_arena *arena; /* for strings with escapes */
};

/* The next token; false when there is no memory. At the end it is STIX_TOKEN_END, again and again. */
bool stix_lexer_next(struct stix_lexer *lexer, struct stix_token *token);

/* True when the word can stand as a property name without quotes. */
bool stix_word_is_plain(struct isg_str word);

#endif
