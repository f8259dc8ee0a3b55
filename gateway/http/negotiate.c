#include "gateway/http/negotiate.h"

#include "gateway/http/lexis.h"

enum { Q_ONE = 1000 }; /* q-values in thousandths */

/* How closely a range names a type. */
enum { CLOSE_NOT, CLOSE_ANY, CLOSE_TREE, CLOSE_TYPE, CLOSE_VERSION };

struct media { /* one media range or type with the parameters that matter here */
    struct isg_str type;
    struct isg_str subtype;
    struct isg_str version; /* p NULL: no such parameter */
    int q;
};

static struct isg_str skip_blanks(struct isg_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = isg_str_from(s, 1);
    return s;
}

static struct isg_str take_token(struct isg_str *rest)
{
    size_t n = 0;
    while (n < rest->n && http_is_token_byte(rest->p[n]))
        n++;
    struct isg_str token = {rest->p, n};
    *rest = isg_str_from(*rest, n);
    return token;
}

/* A quoted-string without its quotes; escapes stay, as no value that matters here has one. */
static bool take_quoted(struct isg_str *rest, struct isg_str *out)
{
    for (size_t i = 1; i < rest->n; i++) {
        if (rest->p[i] == '\\') {
            i++;
        } else if (rest->p[i] == '"') {
            *out = (struct isg_str){rest->p + 1, i - 1};
            *rest = isg_str_from(*rest, i + 1);
            return true;
        }
    }
    return false;
}

static bool take_value(struct isg_str *rest, struct isg_str *out)
{
    if (rest->n > 0 && rest->p[0] == '"')
        return take_quoted(rest, out);
    *out = take_token(rest);
    return out->n > 0;
}

/* "0", "1", "0.5", "1.000": at most three decimals (RFC 7231, 5.3.1); ".2" too, which Java sends.
 * -1: malformed. */
static int parse_q(struct isg_str text)
{
    int q = 0;
    int unit = Q_ONE / 10;
    size_t i = 0;
    if (text.n == 0 || text.n > 5 || isg_str_is(text, "."))
        return -1;
    if (text.p[0] == '0' || text.p[0] == '1')
        q = (text.p[i++] - '0') * Q_ONE;
    if (i < text.n && text.p[i++] != '.')
        return -1;
    for (; i < text.n; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        q += (text.p[i] - '0') * unit;
    }
    return q <= Q_ONE ? q : -1;
}

static bool note_parameter(struct media *media, struct isg_str name, struct isg_str value)
{
    if (isg_str_ieq(name, ISG_STR("version")) && media->version.p == NULL)
        media->version = value;
    else if (isg_str_ieq(name, ISG_STR("q")))
        media->q = parse_q(value);
    return media->q >= 0;
}

static bool parse_parameters(struct isg_str rest, struct media *media)
{
    for (rest = skip_blanks(rest); rest.n > 0; rest = skip_blanks(rest)) {
        if (rest.p[0] != ';')
            return false;
        rest = skip_blanks(isg_str_from(rest, 1));
        if (rest.n == 0 || rest.p[0] == ';')
            continue; /* "a/b;" is common and harmless */
        struct isg_str name = take_token(&rest);
        struct isg_str value = {"", 0};
        rest = skip_blanks(rest);
        if (rest.n > 0 && rest.p[0] == '=') {
            rest = skip_blanks(isg_str_from(rest, 1));
            if (!take_value(&rest, &value))
                return false;
        }
        if (name.n == 0 || !note_parameter(media, name, value))
            return false;
    }
    return true;
}

static bool is_star(struct isg_str s)
{
    return s.n == 1 && s.p[0] == '*';
}

static bool parse_media(struct isg_str text, struct media *media)
{
    struct isg_str rest = skip_blanks(text);
    *media = (struct media){.q = Q_ONE};
    media->type = take_token(&rest);
    if (is_star(media->type) && (rest.n == 0 || rest.p[0] != '/')) {
        media->subtype = media->type; /* Java's way to write both stars */
        return parse_parameters(rest, media);
    }
    if (media->type.n == 0 || rest.n == 0 || rest.p[0] != '/')
        return false;
    rest = isg_str_from(rest, 1);
    media->subtype = take_token(&rest);
    return media->subtype.n > 0 && parse_parameters(rest, media);
}

/* The next element of a comma list; commas inside quotes do not cut. */
static bool next_element(struct isg_str *rest, struct isg_str *element)
{
    if (rest->n == 0)
        return false;
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->n && (quoted || rest->p[i] != ','); i++) {
        if (quoted && rest->p[i] == '\\')
            i++;
        else if (rest->p[i] == '"')
            quoted = !quoted;
    }
    size_t end = i < rest->n ? i : rest->n;
    *element = (struct isg_str){rest->p, end};
    *rest = isg_str_from(*rest, end + 1);
    return true;
}

static bool same_type(const struct media *media, struct isg_str type)
{
    size_t slash = isg_str_find(type, '/');
    return isg_str_ieq(media->type, (struct isg_str){type.p, slash}) &&
           isg_str_ieq(media->subtype, isg_str_from(type, slash + 1));
}

static int closeness(const struct media *range, struct isg_str type, const char *version)
{
    if (is_star(range->type))
        return is_star(range->subtype) ? CLOSE_ANY : CLOSE_NOT;
    if (is_star(range->subtype)) {
        struct isg_str tree = {type.p, isg_str_find(type, '/')};
        return isg_str_ieq(range->type, tree) ? CLOSE_TREE : CLOSE_NOT;
    }
    if (!same_type(range, type))
        return CLOSE_NOT;
    if (range->version.p == NULL)
        return CLOSE_TYPE;
    return version != NULL && isg_str_is(range->version, version) ? CLOSE_VERSION : CLOSE_NOT;
}

/* How closely the closest range names the type; CLOSE_NOT also where its q refuses. */
static int closest(struct isg_str accept, const char *type, const char *version)
{
    struct isg_str element;
    int best = CLOSE_NOT;
    int best_q = 0;
    while (next_element(&accept, &element)) {
        struct media range;
        if (!parse_media(element, &range))
            continue;
        int close = closeness(&range, isg_str_of(type), version);
        if (close > best || (close == best && range.q > best_q)) {
            best = close;
            best_q = close > CLOSE_NOT ? range.q : 0;
        }
    }
    return best_q > 0 ? best : CLOSE_NOT;
}

bool http_accepts(struct isg_str accept, const char *type, const char *version)
{
    return isg_str_trim(accept).n == 0 || closest(accept, type, version) > CLOSE_NOT;
}

bool http_accept_names(struct isg_str accept, const char *type, const char *version)
{
    return closest(accept, type, version) >= CLOSE_TYPE;
}

bool http_accepts_taxii(struct isg_str accept)
{
    return http_accepts(accept, "application/taxii+json", "2.1");
}

bool http_is_content(struct isg_str content_type, const char *type, const char *version)
{
    struct media media;
    if (!parse_media(content_type, &media) || !same_type(&media, isg_str_of(type)))
        return false;
    return media.version.p == NULL || (version != NULL && isg_str_is(media.version, version));
}

bool http_is_taxii_content(struct isg_str content_type)
{
    return http_is_content(content_type, "application/taxii+json", "2.1");
}

/* A content coding with its weight; it has the form of a media type without the subtype. */
static bool parse_coding(struct isg_str text, struct isg_str *name, int *q)
{
    struct isg_str rest = skip_blanks(text);
    struct media weight = {.q = Q_ONE};
    *name = take_token(&rest);
    if (name->n == 0 || !parse_parameters(rest, &weight))
        return false;
    *q = weight.q;
    return true;
}

bool http_accepts_gzip(struct isg_str accept_encoding)
{
    enum { UNSAID = -1 };
    int gzip = UNSAID;
    int any = UNSAID;
    int identity = UNSAID;
    struct isg_str element;
    while (next_element(&accept_encoding, &element)) {
        struct isg_str name;
        int q;
        if (!parse_coding(element, &name, &q))
            continue;
        if (isg_str_ieq(name, ISG_STR("gzip")) || isg_str_ieq(name, ISG_STR("x-gzip")))
            gzip = q > gzip ? q : gzip;
        else if (isg_str_ieq(name, ISG_STR("identity")))
            identity = q;
        else if (is_star(name))
            any = q;
    }
    if (gzip == UNSAID)
        gzip = any;
    return gzip > 0 && gzip >= identity;
}

bool http_query_next(struct isg_str *rest, struct isg_str *name_raw, struct isg_str *value_raw)
{
    struct isg_str piece;
    while (isg_str_split(rest, '&', &piece)) {
        if (piece.n == 0)
            continue;
        size_t equals = isg_str_find(piece, '=');
        size_t name_n = equals < piece.n ? equals : piece.n;
        *name_raw = (struct isg_str){piece.p, name_n};
        *value_raw = name_n < piece.n ? isg_str_from(piece, name_n + 1) : (struct isg_str){"", 0};
        return true;
    }
    return false;
}
