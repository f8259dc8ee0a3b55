/*
 * Labels behind xn-- (RFC 3492, S-060): what they decode to, and what does not.
 */
#include <string.h>

#include "stix/base/utf8.h"
#include "stix/punycode.h"
#include "tests/support/tap.h"

static bool decodes_to(const char *text, struct isg_str wanted)
{
    int32_t points[STIX_PUNYCODE_MAX];
    size_t n = stix_punycode_decode(isg_str_of(text), points);
    for (size_t i = 0; i < n; i++)
        if (wanted.n == 0 || isg_utf8_next(&wanted) != points[i])
            return false;
    return n > 0 && wanted.n == 0;
}

static void check_decoded(void)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"mnchen-3ya", "m\u00fcnchen"},
        {"MNCHEN-3YA", "M\u00fcNCHEN"},
        {"bcher-kva", "b\u00fccher"},
        {"fiqs8s", "\u4e2d\u56fd"},
        {"80akhbyknj4f", "\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435"},
        {"mgba3gch31f060k", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc"},
        {"dn32g", "\U0010ffff"},
        {"dn32ga", "\U0010ffff\U0010ffff"},
        {"---via", "-\u00e4-"},
        {"abc", "\xc2\x82\xc2\x81\xc2\x80"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(decodes_to(rows[i].text, isg_str_of(rows[i].wanted)), "'%s' is '%s'", rows[i].text,
           rows[i].wanted);
}

int main(void)
{
    static const char *const none[] = {
        "",        "-",
        "abc-", /* nothing beyond ASCII */
        "9",       "99999999a",
        "a-9999",  "m_9",
        "ib9b",  /* the first half of a pair, U+D800 */
        "zy0c",  /* the last of the second halves */
        "en32g", /* U+110000 */
        "b\u00fc", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    check_decoded();
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        int32_t points[STIX_PUNYCODE_MAX];
        ok(stix_punycode_decode(isg_str_of(none[i]), points) == 0, "'%s' is none", none[i]);
    }
    return tap_done();
}
