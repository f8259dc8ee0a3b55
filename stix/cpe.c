#include "stix/cpe.h"

#include <string.h>

#include "stix/chars.h"

/* strchr finds the NUL at the end of the list, too. */
static bool is_one_of(char c, const char *list)
{
    return c != '\0' && strchr(list, c) != NULL;
}

/* "*", "-", or letters, digits, . _ -, quoted marks, wildcards at the ends. */
static bool is_attribute(struct isg_str s)
{
    size_t last = s.n;
    if (s.n == 0)
        return false;
    if (s.n == 1 && (s.p[0] == '*' || s.p[0] == '-'))
        return true;
    while (last > 0 && (s.p[last - 1] == '?' || s.p[last - 1] == '*'))
        last--;
    size_t i = 0;
    while (i < last && (s.p[i] == '?' || s.p[i] == '*'))
        i++;
    for (; i < last; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n)
            i++;
        else if (!is_alnum(s.p[i]) && !is_one_of(s.p[i], "._-"))
            return false;
    }
    return true;
}

/* Cut the next attribute off at a colon that no backslash quotes. */
static struct isg_str next_attribute(struct isg_str *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ':')
        n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
    struct isg_str attribute = {rest->p, n};
    *rest = isg_str_from(*rest, n);
    return attribute;
}

bool stix_cpe_read(struct isg_str text, struct stix_cpe *out)
{
    static const struct isg_str head = {"cpe:2.3:", 8};
    enum { LAST = STIX_CPE_ATTRIBUTES - 1 };
    if (!isg_str_starts(text, head))
        return false;
    struct isg_str rest = isg_str_from(text, head.n);
    for (int i = 0; i <= LAST; i++) {
        struct isg_str attribute = next_attribute(&rest);
        if (!is_attribute(attribute) || (i < LAST && rest.n == 0))
            return false;
        out->attribute[i] = attribute;
        rest = isg_str_from(rest, i < LAST ? 1 : 0);
    }
    struct isg_str part = out->attribute[STIX_CPE_PART];
    return rest.n == 0 && part.n == 1 && is_one_of(part.p[0], "aho*-");
}

bool stix_cpe_is_value(struct isg_str attribute)
{
    if (attribute.n == 1 && attribute.p[0] == '-')
        return false;
    for (size_t i = 0; i < attribute.n; i++) {
        if (attribute.p[i] == '\\')
            i++;
        else if (attribute.p[i] == '*' || attribute.p[i] == '?')
            return false;
    }
    return attribute.n > 0;
}

void stix_cpe_unquote(struct isg_str attribute, struct isg_buf *out)
{
    for (size_t i = 0; i < attribute.n; i++) {
        if (attribute.p[i] == '\\' && i + 1 < attribute.n)
            i++;
        isg_buf_putc(out, attribute.p[i]);
    }
}
