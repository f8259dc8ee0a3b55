/*
 * Labels behind xn-- (RFC 3492, S-060): what decodes and what does not.
 */
#include "stix/punycode.h"
#include "tests/support/tap.h"

/* As in a label: no controls, no blanks. */
static bool is_allowed(int32_t point)
{
    return point >= 0xb7;
}

int main(void)
{
    static const struct {
        const char *text;
        bool decodes;
    } rows[] = {
        {"mnchen-3ya", true},
        {"MNCHEN-3YA", true},
        {"bcher-kva", true},
        {"fiqs8s", true},
        {"80akhbyknj4f", true},
        {"dn32g", true}, /* U+10FFFF */
        {"", false},
        {"-", false},
        {"abc", false},  /* U+0080 to U+0082 */
        {"abc-", false}, /* nothing beyond ASCII */
        {"9", false},
        {"99999999a", false},
        {"a-9999", false},
        {"m_9", false},
        {"ib9b", false}, /* the first half of a pair, U+D800 */
        {"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(stix_punycode_decodes(isg_str_of(rows[i].text), is_allowed) == rows[i].decodes, "'%s'",
           rows[i].text);
    return tap_done();
}
