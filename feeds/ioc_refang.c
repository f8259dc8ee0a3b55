/*
 * Taking out the marks people put into addresses so that nobody clicks them (feeds digest 3.1). The
 * host part always; behind it only "[.]", and for machine data nothing.
 */
#include <string.h>

#include "feeds/ioc_kinds.h"

struct mark {
    const char *seen;
    const char *becomes;
};

/* Scheme words, before the colon. */
static const struct mark schemes[] = {
    {"hxxps", "https"}, {"hxxp", "http"}, {"h**ps", "https"}, {"h**p", "http"},
    {"meows", "https"}, {"meow", "http"}, {"fxp", "ftp"},
};

/* What may stand between scheme and host; the longest first. */
static const char *const separators[] = {"[://]", "[:]//", ":[//]", ":[/][/]", "[:][/][/]", "://"};

/* In the host; the longest first. IPv6 literals hold none of these. */
static const struct mark host_marks[] = {
    {"[dot]", "."},        {"(dot)", "."},        {"{dot}", "."}, {" dot ", "."},
    {"[.]", "."},          {"(.)", "."},          {"{.}", "."},   {"\\.", "."},
    {"[.", "."},           {".]", "."},           {"[:]", ":"},   {"[@]", "@"},
    {"(at)", "@"},         {"[at]", "@"},         {" at ", "@"},  {"\xe3\x80\x82", "."},
    {"\xef\xbc\x8e", "."}, {"\xef\xbd\xa1", "."},
};

/* Characters that are not seen: zero width space, word joiner, byte order mark, directions. */
static const char *const invisible[] = {"\xe2\x80\x8b", "\xe2\x81\xa0", "\xef\xbb\xbf",
                                        "\xe2\x80\x8e", "\xe2\x80\x8f"};

static bool begins(struct isg_str text, const char *word)
{
    size_t n = strlen(word);
    return text.n >= n && isg_str_ieq((struct isg_str){text.p, n}, (struct isg_str){word, n});
}

static size_t invisible_at(struct isg_str text)
{
    for (size_t i = 0; i < sizeof invisible / sizeof invisible[0]; i++) {
        if (begins(text, invisible[i]))
            return strlen(invisible[i]);
    }
    return 0;
}

/* Is there an opener for this closing bracket before the end? */
static bool has_opener(struct isg_str text, char close)
{
    char open = (char)(close == ')' ? '(' : close == ']' ? '[' : close == '}' ? '{' : '<');
    return isg_str_find(text, open) != SIZE_MAX;
}

/* Without the brackets and punctuation of the sentence it was copied from. */
static struct isg_str unwrap(struct isg_str text, unsigned flags)
{
    text = isg_str_trim(text);
    if ((flags & IOC_MACHINE) != 0)
        return text;
    if (text.n > 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
        text = isg_str_trim((struct isg_str){text.p + 1, text.n - 2});
    while (text.n > 1 && (text.p[0] == '"' || text.p[0] == '\''))
        text = isg_str_from(text, 1);
    while (text.n > 1 && text.p[text.n - 1] != '\0' &&
           strchr(".,;:)]}>\"'", text.p[text.n - 1]) != NULL) {
        char last = text.p[text.n - 1];
        if (strchr(")]}>", last) != NULL && has_opener(text, last))
            break;
        text = isg_str_trim((struct isg_str){text.p, text.n - 1});
    }
    return text;
}

/* Write the scheme and "://"; the view behind them, or text itself when it has no scheme. */
static struct isg_str take_scheme(struct isg_str text, struct isg_buf *out)
{
    size_t n = 0;
    while (n < text.n && n < 32 && strchr("[:", text.p[n]) == NULL)
        n++;
    struct isg_str rest = isg_str_from(text, n);
    size_t width = 0;
    for (size_t i = 0; width == 0 && i < sizeof separators / sizeof separators[0]; i++) {
        if (begins(rest, separators[i]))
            width = strlen(separators[i]);
    }
    if (n == 0 || width == 0)
        return text;
    struct isg_str scheme = {text.p, n};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (isg_str_ieq(scheme, isg_str_of(schemes[i].seen)))
            scheme = isg_str_of(schemes[i].becomes);
    }
    isg_buf_put_str(out, scheme);
    isg_buf_puts(out, "://");
    rest = isg_str_from(rest, width);
    while (rest.n > 0 && rest.p[0] == ' ')
        rest = isg_str_from(rest, 1);
    return rest;
}

/* Does no mark of the host begin with it? */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ':';
}

static const struct mark *mark_at(struct isg_str text)
{
    for (size_t i = 0; i < sizeof host_marks / sizeof host_marks[0]; i++) {
        if (begins(text, host_marks[i].seen))
            return &host_marks[i];
    }
    return NULL;
}

/* Copy the host with its marks replaced; the view from the first slash, '?' or '#' on. */
static struct isg_str take_host(struct isg_str text, struct isg_buf *out)
{
    while (text.n > 0) {
        if (is_plain(text.p[0])) {
            isg_buf_putc(out, text.p[0]);
            text = isg_str_from(text, 1);
            continue;
        }
        const struct mark *mark = mark_at(text);
        size_t hidden = invisible_at(text);
        if (begins(text, "[/]")) {
            isg_buf_putc(out, '/');
            return isg_str_from(text, 3);
        }
        if (strchr("/?#", text.p[0]) != NULL && text.p[0] != '\0')
            return text;
        if (mark != NULL)
            isg_buf_puts(out, mark->becomes);
        else if (hidden == 0)
            isg_buf_putc(out, text.p[0]);
        text = isg_str_from(text, mark != NULL ? strlen(mark->seen) : hidden > 0 ? hidden : 1);
    }
    return text;
}

static void take_rest(struct isg_str text, unsigned flags, struct isg_buf *out)
{
    while (text.n > 0) {
        if ((flags & IOC_MACHINE) == 0 && begins(text, "[.]")) {
            isg_buf_putc(out, '.');
            text = isg_str_from(text, 3);
        } else {
            isg_buf_putc(out, text.p[0]);
            text = isg_str_from(text, 1);
        }
    }
}

/* An address, a name or a hash as it should be: most values of most sources. */
static bool has_no_mark(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_plain(text.p[i]) && text.p[i] != '.')
            return false;
    }
    return text.n > 0 && text.p[0] != '.' && text.p[text.n - 1] != '.' && text.p[text.n - 1] != ':';
}

struct isg_str ioc_refang(struct isg_arena *arena, struct isg_str raw, unsigned flags)
{
    struct isg_buf buf;
    if (has_no_mark(raw))
        return raw;
    struct isg_str text = unwrap(raw, flags);
    isg_buf_init(&buf, ISG_BUF_NO_MAX);
    text = take_scheme(text, &buf);
    text = take_host(text, &buf);
    take_rest(text, flags, &buf);
    struct isg_str done = isg_buf_str(&buf);
    struct isg_str out = {NULL, 0};
    if (buf.err == ISG_OK)
        out = isg_str_eq(done, raw) ? raw : (struct isg_str){isg_arena_copy(arena, done), done.n};
    isg_buf_done(&buf);
    return out;
}
