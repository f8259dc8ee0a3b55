/*
 * Text forms of strings that are no addresses: languages, countries, MIME types, names, versions.
 * Each is one pass over the text; no regular expressions.
 */
#include <string.h>

#include "stix/base/base64.h"
#include "stix/base/time.h"
#include "stix/chars.h"
#include "stix/types_table.h"

static bool all(struct isg_str s, bool (*test)(char))
{
    for (size_t i = 0; i < s.n; i++)
        if (!test(s.p[i]))
            return false;
    return s.n > 0;
}

/* Hex of an even number of lower-case digits (S-012). */
static bool is_hex(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_digit(text.p[i]) && !(text.p[i] >= 'a' && text.p[i] <= 'f'))
            return false;
    return text.n % 2 == 0;
}

static bool is_binary(struct isg_str text)
{
    return isg_base64_decode(ISG_BASE64_LAX, text, NULL);
}

/* Lower case with hyphens (S-022): no blanks, no capitals, no underscores. */
static bool is_dashed(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] >= 'A' && text.p[i] <= 'Z') || text.p[i] == ' ' || text.p[i] == '_')
            return false;
    return text.n > 0;
}

static bool is_relation(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_lower(text.p[i]) && !is_digit(text.p[i]) && text.p[i] != '-')
            return false;
    return text.n > 0;
}

/* MAJOR.MINOR.PATCH, without leading zeros; a pre-release or build part may follow. */
static bool is_semver(struct isg_str text)
{
    struct isg_str rest = text;
    for (int i = 0; i < 3; i++) {
        size_t n = 0;
        while (n < rest.n && is_digit(rest.p[n]))
            n++;
        if (n == 0 || (n > 1 && rest.p[0] == '0'))
            return false;
        if (i < 2 && (n == rest.n || rest.p[n] != '.'))
            return false;
        rest = isg_str_from(rest, i < 2 ? n + 1 : n);
    }
    return rest.n == 0 || (rest.n > 1 && (rest.p[0] == '-' || rest.p[0] == '+'));
}

/* A timestamp without a fraction of a second (S-065). */
static bool is_second(struct isg_str text)
{
    return isg_time_digits(text) == 0;
}

/* Restricted names of RFC 6838 under a registered top-level type (S-063). */
static bool is_mime(struct isg_str text)
{
    static const char *const tops[] = {"application", "audio", "example", "font",
                                       "haptics",     "image", "message", "model",
                                       "multipart",   "text",  "video"};
    static const char marks[] = "!#$&-^_.+";
    struct isg_str sub = text;
    struct isg_str top;
    if (!isg_str_split(&sub, '/', &top) || sub.n == 0 || sub.n > 127 ||
        !stix_words_have(tops, sizeof tops / sizeof tops[0], top))
        return false;
    for (size_t i = 0; i < sub.n; i++)
        if (!is_alnum(sub.p[i]) && strchr(marks, sub.p[i]) == NULL)
            return false;
    return is_alnum(sub.p[0]);
}

/* As service names are registered: short, lower case, with at least one letter (S-063). */
static bool is_protocol(struct isg_str text)
{
    bool letter = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        letter = letter || is_lower(c);
        if (!is_lower(c) && !is_digit(c) && c != '-' && c != '.' && c != '+')
            return false;
    }
    return letter && text.n <= 32;
}

/* --- languages (S-029): RFC 5646, section 2.1 --- */

/* Registered as a whole before the grammar; only those that do not fit it (RFC 5646, 2.2.8). */
static const char *const irregular_tags[] = {
    "art-lojban", "cel-gaulish", "en-gb-oed", "i-ami",      "i-bnn",     "i-default", "i-enochian",
    "i-hak",      "i-klingon",   "i-lux",     "i-mingo",    "i-navajo",  "i-pwn",     "i-tao",
    "i-tay",      "i-tsu",       "no-bok",    "no-nyn",     "sgn-be-fr", "sgn-be-nl", "sgn-ch-de",
    "zh-guoyu",   "zh-hakka",    "zh-min",    "zh-min-nan", "zh-xiang"};

static bool is_irregular_tag(struct isg_str text)
{
    for (size_t i = 0; i < sizeof irregular_tags / sizeof irregular_tags[0]; i++)
        if (isg_str_ieq(text, isg_str_of(irregular_tags[i])))
            return true;
    return false;
}

/* A tag read subtag by subtag: the current one, empty at the end. */
struct subtags {
    struct isg_str rest;
    struct isg_str now;
};

static void next_subtag(struct subtags *tag)
{
    if (!isg_str_split(&tag->rest, '-', &tag->now))
        tag->now = (struct isg_str){NULL, 0};
}

static bool is_variant(struct isg_str s)
{
    return all(s, is_alnum) && ((s.n >= 5 && s.n <= 8) || (s.n == 4 && is_digit(s.p[0])));
}

static bool is_region(struct isg_str s)
{
    return (s.n == 2 && all(s, is_alpha)) || (s.n == 3 && all(s, is_digit));
}

/* Subtags after a singleton: at least one of low to eight characters. */
static bool take_extension(struct subtags *tag, size_t low)
{
    size_t taken = 0;
    next_subtag(tag);
    while (tag->now.n >= low && tag->now.n <= 8 && all(tag->now, is_alnum)) {
        taken++;
        next_subtag(tag);
    }
    return taken > 0;
}

static bool take_extensions(struct subtags *tag)
{
    while (tag->now.n == 1 && is_alnum(tag->now.p[0]) && (tag->now.p[0] | 0x20) != 'x')
        if (!take_extension(tag, 2))
            return false;
    if (tag->now.n == 1 && (tag->now.p[0] | 0x20) == 'x')
        return take_extension(tag, 1);
    return true;
}

static bool take_language(struct subtags *tag)
{
    if (tag->now.n < 2 || tag->now.n > 8 || !all(tag->now, is_alpha))
        return false;
    bool may_extend = tag->now.n <= 3;
    next_subtag(tag);
    for (int i = 0; i < 3 && may_extend && tag->now.n == 3 && all(tag->now, is_alpha); i++)
        next_subtag(tag);
    return true;
}

static bool is_language(struct isg_str text)
{
    struct subtags tag = {text, {NULL, 0}};
    if (text.n == 0 || text.p[text.n - 1] == '-')
        return false;
    next_subtag(&tag);
    if (tag.now.n == 1 && (tag.now.p[0] | 0x20) == 'x')
        return take_extension(&tag, 1) && tag.now.p == NULL;
    if (is_irregular_tag(text))
        return true;
    if (!take_language(&tag))
        return false;
    if (tag.now.n == 4 && all(tag.now, is_alpha))
        next_subtag(&tag);
    if (is_region(tag.now))
        next_subtag(&tag);
    while (is_variant(tag.now))
        next_subtag(&tag);
    return take_extensions(&tag) && tag.now.p == NULL && tag.rest.n == 0;
}

/* --- two-letter codes (S-029, S-043) --- */

/* Whether a text of pairs has this one, of either case. */
static bool has_pair(const char *pairs, struct isg_str pair)
{
    for (; pair.n == 2 && *pairs != '\0'; pairs += 2)
        if (isg_str_ieq(pair, (struct isg_str){pairs, 2}))
            return true;
    return false;
}

/* ISO 3166-1 alpha-2, officially assigned codes, sorted. */
static const char countries[] =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCM"
    "CNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY"
    "HKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMF"
    "MGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARE"
    "RORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZ"
    "VAVCVEVGVIVNVUWFWSYEYTZAZMZW";

/* Beside the countries, of the registry of language subtags: reserved, former and private ones. */
static const char other_regions[] = "AAACANBUCPCQCSDDDGEAEUEZFXICNTSUTATPUNYDYUZRZZ";

/* Languages of ISO 639-1 with those the registry keeps under an older code, sorted. */
static const char languages[] =
    "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfo"
    "frfygagdglgngugvhahehihohrhthuhyhziaidieigiiikinioisitiwjajijvjwkakgkikjkkklkmknkokrkskukvkwky"
    "lalblglilnloltlulvmgmhmimkmlmnmomrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurw"
    "sascsdsesgshsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazh"
    "zu";

/* Of either case: the codes are printed in capitals, but nothing in the text asks for them. */
static bool is_country(struct isg_str text)
{
    return has_pair(countries, text);
}

/* AA, QM to QZ, XA to XZ and ZZ are for private use (RFC 5646, 2.2.4). */
static bool is_registered_region(struct isg_str text)
{
    bool q = (text.p[0] | 0x20) == 'q' && (text.p[1] | 0x20) >= 'm';
    return q || (text.p[0] | 0x20) == 'x' || is_country(text) || has_pair(other_regions, text);
}

/*
 * Of a well-formed tag, the subtags of two letters: the language, and a region behind it. Longer
 * ones have registries of thousands that are not carried here.
 */
static bool is_registered_language(struct isg_str text)
{
    struct subtags tag = {text, {NULL, 0}};
    next_subtag(&tag);
    if (tag.now.n == 2 && !has_pair(languages, tag.now))
        return false;
    for (next_subtag(&tag); tag.now.n > 2; next_subtag(&tag)) {
    }
    return tag.now.n != 2 || is_registered_region(tag.now);
}

/* ISO 3166-2: a country, a hyphen, one to three letters or digits. */
static bool is_area(struct isg_str text)
{
    return text.n >= 4 && text.n <= 6 && text.p[2] == '-' &&
           is_country((struct isg_str){text.p, 2}) && all(isg_str_from(text, 3), is_alnum);
}

/* As the constants of Windows are called: NORMAL_PRIORITY_CLASS. */
static bool is_priority_class(struct isg_str text)
{
    return isg_str_ends(text, ISG_STR("_CLASS"));
}

const struct stix_form stix_form_administrative_area =
    STIX_FORM(is_area, STIX_WARNING, "S-043", "is not an ISO 3166-2 code");
const struct stix_form stix_form_binary =
    STIX_FORM(is_binary, STIX_ERROR, "S-011", "is not base64 with padding and without line breaks");
const struct stix_form stix_form_country =
    STIX_FORM(is_country, STIX_WARNING, "S-043", "is not an ISO 3166-1 alpha-2 code");
const struct stix_form stix_form_dashed =
    STIX_FORM(is_dashed, STIX_WARNING, "S-022", "should be lower case with hyphens");
const struct stix_form stix_form_hex = STIX_FORM(
    is_hex, STIX_ERROR, "S-012", "is not an even number of lower-case hexadecimal digits");
const struct stix_form stix_form_language = {
    .fits = is_language,
    .level = STIX_ERROR,
    .rule = "S-029",
    .message = "is not a well-formed RFC 5646 language tag",
    .advised = is_registered_language,
    .advice = "has a language or region that is not registered",
};
const struct stix_form stix_form_mime =
    STIX_FORM(is_mime, STIX_WARNING, "S-063", "is not of the form of a registered media type");
const struct stix_form stix_form_priority_class =
    STIX_FORM(is_priority_class, STIX_WARNING, "S-064", "should be a word that ends in _CLASS");
const struct stix_form stix_form_protocol = STIX_FORM(
    is_protocol, STIX_WARNING, "S-063", "is not of the form of a registered service name");
const struct stix_form stix_form_relation =
    STIX_FORM(is_relation, STIX_ERROR, "S-048", "has characters other than a-z, 0-9 and hyphen");
const struct stix_form stix_form_second =
    STIX_FORM(is_second, STIX_ERROR, "S-065", "has a fraction of a second");
const struct stix_form stix_form_semver =
    STIX_FORM(is_semver, STIX_WARNING, "S-078", "is not a version MAJOR.MINOR.PATCH");
