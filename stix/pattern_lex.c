/*
 * Tokens of a pattern (S-106, S-107). Every byte is looked at once.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/base/utf8.h"
#include "stix/chars.h"
#include "stix/pattern_tree.h"
#include "stix/types_table.h"

static const int64_t INTEGER_MAX = 9007199254740991; /* 2^53-1 (S-110) */

/* Keywords are upper case exactly, but the two booleans. */
static const struct {
    const char *word;
    enum stix_token_kind kind;
} keywords[] = {
    {"AND", STIX_TOKEN_AND},
    {"EXISTS", STIX_TOKEN_EXISTS},
    {"FOLLOWEDBY", STIX_TOKEN_FOLLOWEDBY},
    {"IN", STIX_TOKEN_IN},
    {"ISSUBSET", STIX_TOKEN_ISSUBSET},
    {"ISSUPERSET", STIX_TOKEN_ISSUPERSET},
    {"LIKE", STIX_TOKEN_LIKE},
    {"MATCHES", STIX_TOKEN_MATCHES},
    {"NOT", STIX_TOKEN_NOT},
    {"OR", STIX_TOKEN_OR},
    {"REPEATS", STIX_TOKEN_REPEATS},
    {"SECONDS", STIX_TOKEN_SECONDS},
    {"START", STIX_TOKEN_START},
    {"STOP", STIX_TOKEN_STOP},
    {"TIMES", STIX_TOKEN_TIMES},
    {"WITHIN", STIX_TOKEN_WITHIN},
};

/* Longer ones first. */
static const struct {
    const char *mark;
    enum stix_token_kind kind;
} marks[] = {
    {"==", STIX_TOKEN_EQ},        {"!=", STIX_TOKEN_NE},   {"<>", STIX_TOKEN_NE},
    {"<=", STIX_TOKEN_LE},        {">=", STIX_TOKEN_GE},   {"=", STIX_TOKEN_EQ},
    {"<", STIX_TOKEN_LT},         {">", STIX_TOKEN_GT},    {":", STIX_TOKEN_COLON},
    {".", STIX_TOKEN_DOT},        {",", STIX_TOKEN_COMMA}, {"*", STIX_TOKEN_STAR},
    {"(", STIX_TOKEN_OPEN},       {")", STIX_TOKEN_CLOSE}, {"[", STIX_TOKEN_OPEN_LIST},
    {"]", STIX_TOKEN_CLOSE_LIST},
};

static bool wrong(struct stix_token *token, const char *rule, const char *message)
{
    token->kind = STIX_TOKEN_WRONG;
    token->code = strcmp(rule, "S-110") == 0 ? ISG_EINVAL : ISG_EPARSE; /* a range is no grammar */
    token->rule = rule;
    token->message = message;
    return true;
}

static char peek(const struct stix_lexer *lexer, size_t ahead)
{
    if (lexer->at + ahead >= lexer->text.n)
        return '\0';
    return lexer->text.p[lexer->at + ahead];
}

/* --- blanks and comments (S-107) --- */

/* Unicode White_Space. */
static bool is_blank(int32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0d) || cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
           cp == 0x205f || cp == 0x3000;
}

static bool skip_blank(struct stix_lexer *lexer)
{
    struct isg_str rest = isg_str_from(lexer->text, lexer->at);
    size_t before = rest.n;
    if (rest.n > 0 && rest.p[0] > ' ' && rest.p[0] < 0x7f)
        return false; /* mostly */
    if (rest.n == 0 || !is_blank(isg_utf8_next(&rest)))
        return false;
    lexer->at += before - rest.n;
    return true;
}

/* A comment; one that is never closed stays, and no token begins with its slash. */
static bool skip_comment(struct stix_lexer *lexer)
{
    size_t end = lexer->at + 2;
    if (peek(lexer, 0) != '/' || (peek(lexer, 1) != '/' && peek(lexer, 1) != '*'))
        return false;
    bool line = peek(lexer, 1) == '/';
    while (end < lexer->text.n) {
        const char *p = lexer->text.p + end;
        if (line ? *p == '\n' || *p == '\r' : *p == '*' && end + 1 < lexer->text.n && p[1] == '/')
            break;
        end++;
    }
    if (!line && end >= lexer->text.n)
        return false;
    lexer->at = end + (line ? 0 : 2);
    return true;
}

/* --- literals --- */

/* The inside of quotes; at the opening one. False when they are not closed. */
static bool take_quoted(struct stix_lexer *lexer, struct isg_str *out_inside, bool *out_escaped)
{
    size_t start = lexer->at + 1;
    size_t end = start;
    *out_escaped = false;
    while (end < lexer->text.n && lexer->text.p[end] != '\'') {
        if (lexer->text.p[end] == '\\') {
            *out_escaped = true;
            end++;
        }
        end++;
    }
    if (end >= lexer->text.n)
        return false;
    *out_inside = (struct isg_str){lexer->text.p + start, end - start};
    lexer->at = end + 1;
    return true;
}

/* Only \' and \\ are escapes. *out_text is a copy in the arena. */
static bool unescape(struct stix_lexer *lexer, struct isg_str inside, struct isg_str *out_text,
                     bool *out_fits)
{
    char *copy = isg_arena_alloc(lexer->arena, inside.n + 1);
    size_t n = 0;
    if (copy == NULL)
        return false;
    *out_fits = true;
    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '\\' && ++i < inside.n)
            *out_fits = *out_fits && (inside.p[i] == '\'' || inside.p[i] == '\\');
        copy[n++] = inside.p[i < inside.n ? i : inside.n - 1];
    }
    *out_text = (struct isg_str){copy, n};
    return true;
}

static bool lex_string(struct stix_lexer *lexer, struct stix_token *token)
{
    bool escaped;
    bool fits = true;
    struct isg_str inside;
    if (!take_quoted(lexer, &inside, &escaped))
        return wrong(token, "S-108", "a string is not closed");
    if (escaped && !unescape(lexer, inside, &inside, &fits))
        return false;
    if (!fits)
        return wrong(token, "S-108", "the only escapes in a string are \\' and \\\\");
    token->kind = STIX_TOKEN_LITERAL;
    token->literal = (struct stix_literal){.kind = STIX_LITERAL_STRING, .text = inside};
    return true;
}

/* h'..', b'..' and t'..': at the letter. */
static bool lex_prefixed(struct stix_lexer *lexer, struct stix_token *token)
{
    char letter = peek(lexer, 0);
    bool escaped;
    struct isg_str inside;
    int64_t us;
    lexer->at++;
    if (!take_quoted(lexer, &inside, &escaped))
        return wrong(token, "S-108", "a literal is not closed");
    token->kind = STIX_TOKEN_LITERAL;
    token->literal = (struct stix_literal){.text = inside};
    if (letter == 'h') {
        token->literal.kind = STIX_LITERAL_HEX;
        return stix_form_hex.fits(inside) ||
               wrong(token, "S-012", "a hex literal is pairs of digits 0-9 and a-f");
    }
    if (letter == 'b') {
        token->literal.kind = STIX_LITERAL_BINARY;
        return stix_form_binary.fits(inside) ||
               wrong(token, "S-011", "a binary literal is base64 with padding");
    }
    token->literal.kind = STIX_LITERAL_TIMESTAMP;
    return isg_time_parse(inside, &us) ||
           wrong(token, "S-007", "a timestamp literal is a real YYYY-MM-DDThh:mm:ss[.s]Z");
}

/* Decimal digits to an integer; false beyond 2^53-1. */
static bool read_integer(struct isg_str digits, bool negative, int64_t *out)
{
    uint64_t n;
    if (!isg_str_to_u64(digits, (uint64_t)INTEGER_MAX, &n))
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static bool lex_integer(struct stix_token *token, struct isg_str digits, bool negative)
{
    token->literal.kind = STIX_LITERAL_INTEGER;
    if (digits.n > 1 && digits.p[0] == '0')
        return wrong(token, "S-108", "an integer has no leading zeros");
    if (!read_integer(digits, negative, &token->literal.integer))
        return wrong(token, "S-110", "an integer is within +-(2^53-1)");
    return true;
}

static bool lex_float(struct stix_lexer *lexer, struct stix_token *token)
{
    char *copy = isg_arena_copy(lexer->arena, token->literal.text);
    if (copy == NULL)
        return false;
    token->literal.kind = STIX_LITERAL_FLOAT;
    token->literal.number = strtod(copy, NULL);
    if (!isfinite(token->literal.number))
        return wrong(token, "S-110", "a float is finite");
    return true;
}

/* At a sign, a digit or a dot before a digit. The text gives no leading plus a meaning. */
static bool lex_number(struct stix_lexer *lexer, struct stix_token *token)
{
    size_t start = lexer->at;
    bool negative = peek(lexer, 0) == '-';
    lexer->at += negative ? 1 : 0;
    size_t digits = lexer->at;
    while (is_digit(peek(lexer, 0)))
        lexer->at++;
    struct isg_str whole = {lexer->text.p + digits, lexer->at - digits};
    bool has_fraction = peek(lexer, 0) == '.' && is_digit(peek(lexer, 1));
    if (has_fraction) {
        lexer->at++;
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
    }
    token->kind = STIX_TOKEN_LITERAL;
    token->literal = (struct stix_literal){.text = {lexer->text.p + start, lexer->at - start}};
    if (has_fraction)
        return lex_float(lexer, token);
    if (whole.n == 0)
        return wrong(token, "S-108", "a number has digits");
    return lex_integer(token, whole, negative);
}

/* --- names, keywords, marks --- */

static bool is_name_start(char c)
{
    return is_alpha(c) || c == '_';
}

static void keyword_of(const struct stix_lexer *lexer, struct stix_token *token)
{
    char first = token->text.p[0];
    if (first >= 'a' && first != 't' && first != 'f')
        return; /* words of operators are in capitals, names of paths hardly ever are */
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (keywords[i].word[0] == first && isg_str_is(token->text, keywords[i].word)) {
            bool unknown =
                keywords[i].kind == STIX_TOKEN_EXISTS && lexer->version == STIX_PATTERN_2_0;
            token->kind = unknown ? STIX_TOKEN_NAME : keywords[i].kind;
            return;
        }
    bool yes = first == 't' && isg_str_is(token->text, "true");
    if (yes || (first == 'f' && isg_str_is(token->text, "false"))) {
        token->kind = STIX_TOKEN_LITERAL;
        token->literal = (struct stix_literal){
            .kind = STIX_LITERAL_BOOLEAN, .text = token->text, .boolean = yes};
    }
}

static void lex_name(struct stix_lexer *lexer, struct stix_token *token)
{
    size_t start = lexer->at;
    token->kind = STIX_TOKEN_NAME;
    while (is_alnum(peek(lexer, 0)) || peek(lexer, 0) == '_' || peek(lexer, 0) == '-') {
        if (peek(lexer, 0) == '-')
            token->kind = STIX_TOKEN_HYPHENED;
        lexer->at++;
    }
    token->text = (struct isg_str){lexer->text.p + start, lexer->at - start};
    if (token->kind == STIX_TOKEN_NAME)
        keyword_of(lexer, token);
}

static void lex_mark(struct stix_lexer *lexer, struct stix_token *token)
{
    struct isg_str rest = isg_str_from(lexer->text, lexer->at);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (rest.n == 0 || marks[i].mark[0] != rest.p[0])
            continue;
        struct isg_str mark = isg_str_of(marks[i].mark);
        if (isg_str_starts(rest, mark)) {
            token->kind = marks[i].kind;
            lexer->at += mark.n;
            return;
        }
    }
    (void)wrong(token, "S-108", "no token begins here");
}

bool stix_word_is_plain(struct isg_str word)
{
    if (word.n == 0 || !is_name_start(word.p[0]) || isg_str_is(word, "true") ||
        isg_str_is(word, "false"))
        return false;
    for (size_t i = 0; i < word.n; i++)
        if (!is_alnum(word.p[i]) && word.p[i] != '_')
            return false;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (isg_str_is(word, keywords[i].word))
            return false;
    return true;
}

bool stix_lexer_next(struct stix_lexer *lexer, struct stix_token *token)
{
    while (skip_blank(lexer) || skip_comment(lexer))
        continue;
    char c = peek(lexer, 0);
    *token = (struct stix_token){.kind = STIX_TOKEN_END, .offset = lexer->at};
    if (lexer->at >= lexer->text.n)
        return true;
    if (c == '\'')
        return lex_string(lexer, token);
    if ((c == 'h' || c == 'b' || c == 't') && peek(lexer, 1) == '\'')
        return lex_prefixed(lexer, token);
    if (is_digit(c) || c == '-' || (c == '.' && is_digit(peek(lexer, 1))))
        return lex_number(lexer, token);
    if (is_name_start(c))
        lex_name(lexer, token);
    else
        lex_mark(lexer, token);
    return true;
}
