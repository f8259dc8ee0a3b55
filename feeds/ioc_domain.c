/*
 * Domain names to the form RFC 5890 asks for (feeds digest 3.2). The only file that knows libidn2.
 */
#include <idn2.h>
#include <string.h>

#include "feeds/ioc_kinds.h"
#include "feeds/text.h"

enum { NAME_MAX_BYTES = 253, LABEL_MAX = 63, WRITTEN_MAX = 1024 };

/* IDNA 2008: what differs from 2003 (sharp s, final sigma, joiners) stays itself. */
enum { TO_ASCII = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL };

static bool is_ascii(struct isg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] >= 0x80)
            return false;
    }
    return true;
}

/* A-labels of a name with other letters; empty when libidn2 refuses it. */
static struct isg_str to_ascii(struct isg_arena *arena, struct isg_str name)
{
    struct isg_str out = {0};
    uint8_t *ascii = NULL;
    char *text = isg_arena_copy(arena, name);
    if (text != NULL && idn2_lookup_u8((const uint8_t *)text, &ascii, TO_ASCII) == IDN2_OK)
        out = text_lower(arena, isg_str_of((const char *)ascii));
    idn2_free(ascii);
    return out;
}

/* An A-label must be what its own letters encode to. */
static bool comes_back(struct isg_arena *arena, struct isg_str name)
{
    char *letters = NULL;
    bool same = false;
    char *text = isg_arena_copy(arena, name);
    if (text != NULL && idn2_to_unicode_8z8z(text, &letters, 0) == IDN2_OK)
        same = isg_str_eq(to_ascii(arena, isg_str_of(letters)), name);
    idn2_free(letters);
    return same;
}

static bool label_is_good(struct isg_str label, bool final)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    bool digits = true;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || c == '-' || (c == '_' && !final);
        if (!digit && !letter)
            return false;
        digits = digits && digit;
    }
    return !final || !digits;
}

/* Labels, length, and whether any label is an A-label. */
static bool name_is_good(struct isg_str name, size_t *out_labels, bool *out_encoded)
{
    struct isg_str rest = name;
    struct isg_str label;
    *out_labels = 0;
    *out_encoded = false;
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return false;
    while (isg_str_split(&rest, '.', &label)) {
        bool final = label.p + label.n == name.p + name.n;
        if (!label_is_good(label, final))
            return false;
        *out_encoded = *out_encoded || isg_str_starts(label, ISG_STR("xn--"));
        (*out_labels)++;
    }
    return name.p[name.n - 1] != '.';
}

bool ioc_read_domain(struct ioc_reader *reader, struct isg_str text, struct ioc *out)
{
    size_t labels;
    bool encoded;
    bool wildcard = isg_str_starts(text, ISG_STR("*."));
    if (wildcard)
        text = isg_str_from(text, 2);
    if (text.n > 0 && text.p[text.n - 1] == '.')
        text.n--;
    if (text.n == 0 || text.n > WRITTEN_MAX || memchr(text.p, '\0', text.n) != NULL)
        return ioc_refuse(reader, "not a domain name");
    bool ascii = is_ascii(text);
    struct isg_str name = ascii ? text_lower(reader->arena, text) : to_ascii(reader->arena, text);
    if (!name_is_good(name, &labels, &encoded))
        return ioc_refuse(reader, ascii ? "not a domain name" : "IDNA 2008 refuses the name");
    if (encoded && ascii && !comes_back(reader->arena, name))
        return ioc_refuse(reader, "an A-label that does not encode to itself");
    /* localhost is a name, so that exclusion can say why it is left out */
    if (labels < 2 && (reader->flags & IOC_SINGLE_LABEL) == 0 && !isg_str_is(name, "localhost"))
        return ioc_refuse(reader, "a name without a dot");
    out->kind = IOC_DOMAIN;
    out->value = name;
    out->wildcard = wildcard;
    if (!ascii)
        out->unicode = isg_str_of(isg_arena_copy(reader->arena, text));
    return true;
}
