/*
 * Values with a structure of their own: hashes, the old container of observed-data, translations.
 */
#include <string.h>

#include "stix/chars.h"
#include "stix/check_private.h"

/* --- hashes (S-016) --- */

enum { KEY_MIN = 3, SSDEEP_PARTS = 3, TLSH_DIGITS = 70 };

static bool is_hex_of(struct isg_str text, size_t digits)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_xdigit(text.p[i]))
            return false;
    return text.n == digits;
}

/* blocksize:hash:hash, with base64 letters in the hashes. */
static bool is_ssdeep(struct isg_str text)
{
    struct isg_str part;
    int parts = 0;
    while (isg_str_split(&text, ':', &part)) {
        for (size_t i = 0; i < part.n; i++)
            if (parts == 0 ? !is_digit(part.p[i])
                           : !is_alnum(part.p[i]) && part.p[i] != '+' && part.p[i] != '/')
                return false;
        if (parts == 0 && part.n == 0)
            return false;
        parts++;
    }
    return parts == SSDEEP_PARTS;
}

/* 70 hexadecimal digits, since version 4 with "T1" before them; longer with wider settings. */
static bool is_tlsh(struct isg_str text)
{
    if (text.n > 2 && text.p[0] == 'T' && text.p[1] == '1')
        text = isg_str_from(text, 2);
    return text.n >= TLSH_DIGITS && is_hex_of(text, text.n);
}

static const struct algorithm {
    const char *name;
    size_t digits;
    bool (*fits)(struct isg_str text);
} algorithms[] = {
    {"MD5", 32, NULL},        {"SHA-1", 40, NULL},    {"SHA-256", 64, NULL},
    {"SHA-512", 128, NULL},   {"SHA3-256", 64, NULL}, {"SHA3-512", 128, NULL},
    {"SSDEEP", 0, is_ssdeep}, {"TLSH", 0, is_tlsh},
};

bool stix_hash_fits(struct isg_str name, struct isg_str text)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        const struct algorithm *algorithm = &algorithms[i];
        if (isg_str_is(name, algorithm->name))
            return algorithm->fits != NULL ? algorithm->fits(text)
                                           : is_hex_of(text, algorithm->digits);
    }
    return true;
}

static bool is_hash_key(const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < n; i++)
        if (!is_alnum(key[i]) && key[i] != '_' && key[i] != '-')
            return false;
    return n >= KEY_MIN && n <= 250;
}

static void check_hash(struct stix_checking *c, const char *key, const struct stix_json *value,
                       const struct stix_place *at)
{
    struct isg_str text = stix_json_str(value);
    if (!is_hash_key(key))
        stix_found(c, STIX_ERROR, "S-015", at,
                   "a hash name has 3 to 250 characters of A-Z, a-z, 0-9, _ and -");
    else if (!stix_vocab_has(&stix_vocab_hash_algorithm, isg_str_of(key)))
        stix_found(c, STIX_WARNING, "S-016", at, "the hash is not one of %s",
                   stix_vocab_hash_algorithm.name);
    if (value == NULL)
        stix_check_any(c, value, at);
    else if (stix_json_type(value) != STIX_JSON_STRING)
        stix_found(c, STIX_ERROR, "S-004", at, "a hash must be a string");
    else if (!stix_hash_fits(isg_str_of(key), text))
        stix_found(c, STIX_ERROR, "S-016", at, "the value is not of the form of its algorithm");
}

void stix_check_hashes(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at)
{
    stix_check_members(c, value, at, "hashes", check_hash);
}

/* --- observed-data.objects (S-041) --- */

/* Properties that were required in 2.0 only. */
static void check_required_20(struct stix_checking *c, const struct stix_json *value,
                              const struct stix_place *at)
{
    static const char *const rows[][2] = {{"user-account", "user_id"},
                                          {"windows-registry-key", "key"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stix_place here = {at, rows[i][1], 0};
        if (strcmp(c->type->name, rows[i][0]) == 0 && !stix_json_has(value, rows[i][1]))
            stix_found(c, STIX_ERROR, "S-132", &here, "%s is required in STIX 2.0", rows[i][1]);
    }
}

/* What tells of an encrypted file stands with is_encrypted, which 2.1 dropped with it (S-141). */
static void check_encryption_20(struct stix_checking *c, const struct stix_json *value,
                                const struct stix_place *at)
{
    static const char *const names[] = {"decryption_key", "encryption_algorithm"};
    if (strcmp(c->type->name, "file") != 0 || stix_json_has(value, "is_encrypted"))
        return;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stix_place here = {at, names[i], 0};
        if (stix_json_has(value, names[i]))
            stix_found(c, STIX_ERROR, "S-132", &here, "%s needs is_encrypted in STIX 2.0",
                       names[i]);
    }
}

static void check_contained(struct stix_checking *c, const struct stix_json *container,
                            const struct stix_json *value, const struct stix_place *at)
{
    struct isg_str type = stix_json_get_str(value, "type");
    struct stix_checking inner = {.report = c->report,
                                  .object = value,
                                  .root = at,
                                  .container = container,
                                  .is_20 = c->is_20,
                                  .type = stix_type_find(type),
                                  .kind = STIX_KIND_SCO};
    struct stix_place type_place = {at, "type", 0};
    inner.names_free = inner.type == NULL || stix_extended_by(value).toplevel;
    if (type.p == NULL)
        stix_found(c, STIX_ERROR, "S-023", &type_place, "type is missing or no string");
    else if (inner.type != NULL && inner.type->kind != STIX_KIND_SCO)
        stix_found(c, STIX_ERROR, "S-041", &type_place, "a container holds observables only");
    else {
        stix_check_top(&inner, value, at);
        if (inner.type != NULL)
            stix_check_rules(&inner, inner.type, value, at);
        if (inner.type != NULL && inner.is_20) {
            check_required_20(&inner, value, at);
            check_encryption_20(&inner, value, at);
        }
    }
    if (inner.err != ISG_OK)
        c->err = inner.err;
}

void stix_check_container(struct stix_checking *c, const struct stix_json *value,
                          const struct stix_place *at)
{
    if (!stix_check_is_object(c, value, at, "objects"))
        return;
    (void)stix_check_filled(c, value, at);
    struct stix_json_walk walk;
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        stix_check_key(c, walk.name, &here);
        stix_advise_key(c, walk.name, &here);
        if (stix_check_is_object(c, walk.value, &here, "an object of the container"))
            check_contained(c, value, walk.value, &here);
    }
    stix_check_connected(c, value, at);
}

/* --- language-content.contents (S-076) --- */

/* A translation has the shape of what it translates: text, a list of it, or an object. */
static void check_translation(struct stix_checking *c, const char *name,
                              const struct stix_json *value, const struct stix_place *at)
{
    enum stix_json_type type = stix_json_type(value);
    if (!stix_is_property_name(isg_str_of(name)))
        stix_found(c, STIX_ERROR, "S-076", at,
                   "a translated property's name has 3 to 250 characters of a-z, 0-9 and _");
    if (value != NULL && type != STIX_JSON_STRING && type != STIX_JSON_LIST &&
        type != STIX_JSON_OBJECT)
        stix_found(c, STIX_ERROR, "S-076", at, "a translation is text, a list or an object");
    stix_check_any(c, value, at);
}

static void check_language(struct stix_checking *c, const char *tag, const struct stix_json *value,
                           const struct stix_place *at)
{
    if (!stix_form_language.fits(isg_str_of(tag)))
        stix_found(c, STIX_ERROR, "S-076", at, "the key is not an RFC 5646 language tag");
    if (!stix_check_is_object(c, value, at, "a translation") || !stix_check_filled(c, value, at))
        return;
    struct stix_json_walk walk;
    stix_json_walk(value, &walk);
    while (stix_json_next(&walk)) {
        struct stix_place here = {at, walk.name, 0};
        check_translation(c, walk.name, walk.value, &here);
    }
}

void stix_check_contents(struct stix_checking *c, const struct stix_json *value,
                         const struct stix_place *at)
{
    stix_check_members(c, value, at, "contents", check_language);
}
