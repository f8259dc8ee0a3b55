/*
 * Text forms of addresses: IP, MAC, domain names, mail, URI (S-020, S-059, S-060). Each is one
 * pass over the text; no regular expressions.
 */
#include <string.h>

#include "stix/base/utf8.h"
#include "stix/chars.h"
#include "stix/nfc.h"
#include "stix/punycode.h"
#include "stix/types_table.h"

/* --- IP and MAC (S-059) --- */

/* Cut "/bits" off: a decimal without leading zeros up to max. True when there is none. */
static bool cut_prefix(struct isg_str *text, uint64_t max)
{
    size_t slash = isg_str_find(*text, '/');
    if (slash == SIZE_MAX)
        return true;
    struct isg_str bits = isg_str_from(*text, slash + 1);
    uint64_t n;
    text->n = slash;
    return isg_str_to_u64(bits, max, &n) && (bits.n == 1 || bits.p[0] != '0');
}

static bool is_dotted_quad(struct isg_str text)
{
    struct isg_str octet;
    int octets = 0;
    while (isg_str_split(&text, '.', &octet)) {
        uint64_t n;
        if (!isg_str_to_u64(octet, 255, &n) || (octet.n > 1 && octet.p[0] == '0'))
            return false;
        octets++;
    }
    return octets == 4;
}

static bool is_ipv4(struct isg_str text)
{
    return cut_prefix(&text, 32) && is_dotted_quad(text);
}

/* One group of an IPv6 address; the last one may be a dotted quad, which counts twice. */
static int group_width(struct isg_str group, bool last)
{
    if (last && isg_str_find(group, '.') != SIZE_MAX)
        return is_dotted_quad(group) ? 2 : -1;
    if (group.n == 0 || group.n > 4)
        return -1;
    for (size_t i = 0; i < group.n; i++)
        if (!is_xdigit(group.p[i]))
            return -1;
    return 1;
}

/* Groups of one side of "::"; -1 when one of them is wrong. */
static int count_groups(struct isg_str side, bool last_side)
{
    struct isg_str group;
    int n = 0;
    if (side.n == 0)
        return 0;
    while (n <= 8 && isg_str_split(&side, ':', &group)) {
        int width = group_width(group, last_side && side.p == NULL);
        if (width < 0)
            return -1;
        n += width;
    }
    return n;
}

static bool is_ipv6(struct isg_str text)
{
    if (!cut_prefix(&text, 128))
        return false;
    for (size_t i = 0; i + 1 < text.n; i++)
        if (text.p[i] == ':' && text.p[i + 1] == ':') {
            int left = count_groups((struct isg_str){text.p, i}, false);
            int right = count_groups(isg_str_from(text, i + 2), true);
            return left >= 0 && right >= 0 && left + right <= 7;
        }
    return count_groups(text, true) == 8;
}

static bool is_mac(struct isg_str text)
{
    if (text.n != 17)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (i % 3 == 2 ? text.p[i] != ':'
                       : !is_xdigit(text.p[i]) || (text.p[i] >= 'A' && text.p[i] <= 'F'))
            return false;
    return true;
}

/* --- names and mail (S-060) --- */

enum { LABEL_MAX = 63 };

/*
 * Controls, blanks and the characters that IDNA maps away are in no U-label (RFC 5892). The
 * underscore is in no host name, but in labels of the DNS that are observed every day.
 */
static bool is_label_char(int32_t cp)
{
    if (cp < 0x80)
        return cp > 0 && (is_alnum((char)cp) || cp == '-' || cp == '_');
    return cp >= 0xb7 && cp != 0xd7 && cp != 0xf7 && !(cp >= 0x2000 && cp <= 0x206f) &&
           cp != 0x3000 && cp != 0x3002 && cp != 0xfeff && !(cp >= 0xff00 && cp <= 0xff65) &&
           cp != 0xfffd;
}

static bool are_of_label(const int32_t *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool joins = points[i] == STIX_JOINER || points[i] == STIX_JOINER_NONE;
        if (joins ? !stix_joiner_fits(points, n, i) : !is_label_char(points[i]))
            return false;
    }
    return n > 0;
}

/* At most 63 octets, no hyphen at either end; what "xn--" stands for is judged alike. */
static bool is_label(struct isg_str label)
{
    int32_t points[LABEL_MAX];
    size_t n = 0;
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (struct isg_str rest = label; rest.n > 0; n++)
        if ((points[n] = isg_utf8_next(&rest)) < 0)
            return false;
    if (!are_of_label(points, n))
        return false;
    if (label.n < 4 || !isg_str_ieq((struct isg_str){label.p, 4}, ISG_STR("xn--")))
        return true;
    n = stix_punycode_decode(isg_str_from(label, 4), points);
    return are_of_label(points, n);
}

static bool is_domain(struct isg_str text)
{
    if (text.n > 1 && text.p[text.n - 1] == '.')
        text.n--;
    if (text.n == 0 || text.n > 253)
        return false;
    struct isg_str label;
    while (isg_str_split(&text, '.', &label))
        if (!is_label(label))
            return false;
    return true;
}

/* atext of RFC 5322, with the characters beyond ASCII of RFC 6531. */
static bool is_atext(char c)
{
    return is_alnum(c) || (unsigned char)c >= 0x80 ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct isg_str text)
{
    struct isg_str atom;
    if (text.n == 0)
        return false;
    while (isg_str_split(&text, '.', &atom)) {
        for (size_t i = 0; i < atom.n; i++)
            if (!is_atext(atom.p[i]))
                return false;
        if (atom.n == 0)
            return false;
    }
    return true;
}

static bool is_quoted_string(struct isg_str text)
{
    if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < text.n; i++) {
        if (text.p[i] == '\\' && i + 2 < text.n)
            i++;
        else if (text.p[i] == '"' || text.p[i] == '\\' || (unsigned char)text.p[i] < 0x20)
            return false;
    }
    return true;
}

/* addr-spec: a local part, the last '@', a domain or an address in brackets. */
static bool is_email(struct isg_str text)
{
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != '@')
        at--;
    if (at < 2)
        return false;
    struct isg_str local = {text.p, at - 1};
    struct isg_str host = isg_str_from(text, at);
    if (!is_dot_atom(local) && !is_quoted_string(local))
        return false;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        return true;
    return is_domain(host);
}

/* --- URI (RFC 3986) --- */

/* Length of "scheme:", 0 when there is none. */
static size_t scheme_length(struct isg_str text)
{
    size_t n = 0;
    while (n < text.n && (is_alnum(text.p[n]) || (n > 0 && strchr("+-.", text.p[n]) != NULL)))
        n++;
    return n > 0 && is_alpha(text.p[0]) && n < text.n && text.p[n] == ':' ? n + 1 : 0;
}

static bool is_uri_char(struct isg_str text, size_t i)
{
    char c = text.p[i];
    if (c == '%')
        return i + 2 < text.n && is_xdigit(text.p[i + 1]) && is_xdigit(text.p[i + 2]);
    return is_alnum(c) || (c != '\0' && strchr("-._~:/?#[]@!$&'()*+,;=", c) != NULL);
}

static bool is_uri(struct isg_str text)
{
    size_t scheme = scheme_length(text);
    if (scheme == 0)
        return false;
    for (size_t i = scheme; i < text.n; i++)
        if (!is_uri_char(text, i))
            return false;
    return true;
}

/* What was seen in the wild: a scheme, something behind it, and no blanks or controls (S-060). */
static bool is_url(struct isg_str text)
{
    size_t scheme = scheme_length(text);
    for (size_t i = scheme; i < text.n; i++)
        if ((unsigned char)text.p[i] <= 0x20 || text.p[i] == 0x7f)
            return false;
    return scheme > 0 && text.n > scheme;
}

const struct stix_form stix_form_domain = STIX_FORM(
    is_domain, STIX_ERROR, "S-060", "is not a domain name of RFC 1034 and RFC 5890 labels");
const struct stix_form stix_form_email =
    STIX_FORM(is_email, STIX_ERROR, "S-060", "is not a bare mail address (addr-spec)");
const struct stix_form stix_form_ipv4 =
    STIX_FORM(is_ipv4, STIX_ERROR, "S-059", "is not an IPv4 address or CIDR block");
const struct stix_form stix_form_ipv6 =
    STIX_FORM(is_ipv6, STIX_ERROR, "S-059", "is not an IPv6 address or CIDR block");
const struct stix_form stix_form_mac =
    STIX_FORM(is_mac, STIX_ERROR, "S-059", "is not six lower-case octets joined by colons");
const struct stix_form stix_form_uri =
    STIX_FORM(is_uri, STIX_ERROR, "S-020", "is not an RFC 3986 URI");
const struct stix_form stix_form_url =
    STIX_FORM(is_url, STIX_ERROR, "S-060", "is not a URL with a scheme");
