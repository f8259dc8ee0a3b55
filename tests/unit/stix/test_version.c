/* Versions as instants, revocation as the end (S-008, S-098 to S-101). */
#include "stix/version.h"
#include "tests/support/tap.h"

struct row {
    const char *known;
    bool revoked;
    const char *arriving;
    bool same_content;
    const char *verdict;
};

static const struct row rows[] = {
    {"2024-03-01T00:00:00.000Z", false, "2024-03-01T00:00:00.001Z", false, "newer"},
    {"2024-03-01T00:00:00.000Z", false, "2024-02-29T23:59:59.999Z", false, "older"},
    {"2024-03-01T00:00:00.000Z", false, "2024-03-01T00:00:00.000Z", true, "same"},
    {"2024-03-01T00:00:00.000Z", false, "2024-03-01T00:00:00.000Z", false, "conflict"},
    /* another text of the same instant is the same version */
    {"2024-03-01T00:00:00.100Z", false, "2024-03-01T00:00:00.1000000Z", false, "conflict"},
    /* below a microsecond */
    {"2024-03-01T00:00:00.1234567Z", false, "2024-03-01T00:00:00.1234568Z", false, "newer"},
    /* text order would say otherwise */
    {"2024-03-01T00:00:00.1234Z", false, "2024-03-01T00:00:00.123Z", false, "older"},
    {"2024-03-01T00:00:00.000Z", true, "2024-03-01T00:00:00.001Z", false, "revoked"},
    {"2024-03-01T00:00:00.000Z", true, "2024-02-01T00:00:00.000Z", false, "older"},
    {"2024-03-01T00:00:00.000Z", true, "2024-03-01T00:00:00.000Z", true, "same"},
};

int main(void)
{
    static const uint8_t one[ISG_SHA256_BYTES] = {1};
    static const uint8_t two[ISG_SHA256_BYTES] = {2};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct stix_version known = {isg_str_of(row->known), row->revoked, one};
        struct stix_version arriving = {isg_str_of(row->arriving), false,
                                        row->same_content ? one : two};
        is_str(stix_version_name(stix_version_judge(&known, &arriving)), row->verdict,
               "%s after %s", row->arriving, row->known);
    }
    return tap_done();
}
