/*
 * The text forms of strings, form by form. A case is a line of fixtures/stix/form-cases.tsv: rule,
 * form, "ok" or "refused", and the text as the inside of a JSON string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/json.h"
#include "stix/types_table.h"
#include "tests/support/cases.h"
#include "tests/support/tap.h"

static const struct {
    const char *name;
    const struct stix_form *form;
} forms[] = {
    {"administrative_area", &stix_form_administrative_area},
    {"binary", &stix_form_binary},
    {"charset", &stix_form_charset},
    {"country", &stix_form_country},
    {"cpe", &stix_form_cpe},
    {"dashed", &stix_form_dashed},
    {"domain", &stix_form_domain},
    {"email", &stix_form_email},
    {"hex", &stix_form_hex},
    {"ipv4", &stix_form_ipv4},
    {"ipv6", &stix_form_ipv6},
    {"language", &stix_form_language},
    {"mac", &stix_form_mac},
    {"mime", &stix_form_mime},
    {"protocol", &stix_form_protocol},
    {"registry_key", &stix_form_registry_key},
    {"relation", &stix_form_relation},
    {"second", &stix_form_second},
    {"semver", &stix_form_semver},
    {"uri", &stix_form_uri},
    {"url", &stix_form_url},
};

enum { FORMS = sizeof forms / sizeof forms[0], FIELDS = 4 };

/* Rows of each form that fit and that do not. */
static size_t seen[FORMS][2];

static size_t find_form(struct isg_str name)
{
    size_t i = 0;
    while (i < FORMS && !isg_str_is(name, forms[i].name))
        i++;
    return i;
}

static struct stix_json *unquote(struct isg_str inside)
{
    struct isg_buf text;
    struct stix_json *value = NULL;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    isg_buf_putc(&text, '"');
    isg_buf_put_str(&text, inside);
    isg_buf_putc(&text, '"');
    (void)stix_json_parse(isg_buf_str(&text), NULL, &value, NULL);
    isg_buf_done(&text);
    return value;
}

static void check_row(struct isg_str line, size_t number)
{
    struct isg_str fields[FIELDS];
    size_t n = 0;
    while (n < FIELDS && isg_str_split(&line, '\t', &fields[n]))
        n++;
    size_t at = n == FIELDS ? find_form(fields[1]) : FORMS;
    struct stix_json *value = at < FORMS ? unquote(fields[3]) : NULL;
    if (!ok(value != NULL, "line %zu has four fields, a form and a text", number))
        return;
    const struct stix_form *form = forms[at].form;
    bool fits = isg_str_is(fields[2], "ok");
    seen[at][fits]++;
    ok(form->fits(stix_json_str(value)) == fits && isg_str_is(fields[0], form->rule),
       "line %zu: %s %.*s '%.*s'", number, forms[at].name, ISG_STR_ARG(fields[2]),
       ISG_STR_ARG(fields[3]));
    stix_json_free(&value);
}

int main(void)
{
    cases_each("stix/form-cases.tsv", check_row);
    for (size_t i = 0; i < FORMS; i++)
        ok(seen[i][0] > 0 && seen[i][1] > 0, "%s: texts that fit and texts that do not",
           forms[i].name);
    return tap_done();
}
