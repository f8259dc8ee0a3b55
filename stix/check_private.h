/*
 * What the files of the checker share: the state of one check, places, findings, and who checks
 * what. Private to stix/check*.c.
 */
#ifndef STIX_CHECK_PRIVATE_H
#define STIX_CHECK_PRIVATE_H

#include "stix/types_table.h"

/* Where a value stands, as a chain on the stack: no text is made unless there is a finding. */
struct stix_place {
    const struct stix_place *up; /* NULL: the root */
    const char *name;            /* NULL: an element of a list */
    size_t index;
};

/* The check of one object; those of a bundle have one each over the same report. */
struct stix_checking {
    struct stix_report *report;
    const struct stix_json *object;    /* under check; selectors walk it (S-074) */
    const struct stix_place *root;     /* its place */
    const struct stix_json *container; /* observed-data.objects around it, or NULL (S-041) */
    const struct stix_type *type;      /* NULL: a custom type */
    enum stix_kind kind;
    bool is_20;      /* by the rules of STIX 2.0 */
    bool names_free; /* other properties are defined by an extension or by a custom type */
    bool advice;     /* inside an own extension: what is wrong there is a warning */
    int err;         /* ISG_ENOMEM when a finding could not be kept */
};

/* Report a finding at a place; the text names properties, never values. */
void stix_found(struct stix_checking *c, enum stix_level level, const char *rule,
                const struct stix_place *at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* --- check.c --- */

/* One object of any type at a place, with a state of its own. Returns ISG_OK or ISG_ENOMEM. */
int stix_check_object(struct stix_report *report, const struct stix_json *object,
                      const struct stix_place *at);

/* True when a name is that of a type (S-017). */
bool stix_is_type_name(struct isg_str name);

/* --- check_20.c --- */

/* As stix_check_object, by the rules of STIX 2.0. */
int stix_check_object_20(struct stix_report *report, const struct stix_json *object,
                         const struct stix_place *at);

/* --- check_walk.c: tables against members --- */

/* Members of an object against a table (NULL: a custom type) and the common properties. */
void stix_check_top(struct stix_checking *c, const struct stix_json *object,
                    const struct stix_place *at);

/* Members of an embedded object or predefined extension against its table, and its rules. */
void stix_check_embedded(struct stix_checking *c, const struct stix_type *type,
                         const struct stix_json *value, const struct stix_place *at);

/* A property's value against its row, whatever its shape. */
void stix_check_prop(struct stix_checking *c, const struct stix_prop *prop,
                     const struct stix_json *value, const struct stix_place *at);

/* A member no table knows: its name, and what its suffix promises (S-017, S-018). */
void stix_check_custom(struct stix_checking *c, const struct stix_json *owner, const char *name,
                       const struct stix_json *value, const struct stix_place *at);

/* No null and nothing empty, at any depth (S-002, S-003). */
void stix_check_any(struct stix_checking *c, const struct stix_json *value,
                    const struct stix_place *at);

/* A list or object that must have content (S-003); false when it is empty. */
bool stix_check_filled(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at);

/* An object that must have content, named what: call for each of its members. */
typedef void stix_member_fn(struct stix_checking *c, const char *name,
                            const struct stix_json *value, const struct stix_place *at);
/* Report what is no object or is empty (S-003); call for each member with its place. */
void stix_check_members(struct stix_checking *c, const struct stix_json *value,
                        const struct stix_place *at, const char *what, stix_member_fn *call);

/* --- check_values.c: single values --- */

/* One value against its row. */
void stix_check_value(struct stix_checking *c, const struct stix_prop *prop,
                      const struct stix_json *value, const struct stix_place *at);

/* A key of a dictionary: its characters and length (S-015). */
void stix_check_key(struct stix_checking *c, const char *key, const struct stix_place *at);

/*
 * A key that its producer chose should be lower case (S-015). Those of the standard's own
 * dictionaries name something else, a header field or a variable, and keep its case.
 */
void stix_advise_key(struct stix_checking *c, const char *key, const struct stix_place *at);

/* A property name (S-017). */
bool stix_is_property_name(struct isg_str name);

/* True when value is an object; else a finding. */
bool stix_check_is_object(struct stix_checking *c, const struct stix_json *value,
                          const struct stix_place *at, const char *name);

/* --- check_rules.c: rules that span properties --- */

/* Run the rows of the rule table for this type over an object, extension or embedded object. */
void stix_check_rules(struct stix_checking *c, const struct stix_type *type,
                      const struct stix_json *value, const struct stix_place *at);

/*
 * Instants of two members: false unless both are there and well-formed. *out_order is that of
 * isg_time_cmp(a, b).
 */
bool stix_members_order(const struct stix_json *object, const char *a, const char *b,
                        int *out_order);

/* One row's function: value is what the type's table was walked over. */
typedef void stix_rule_fn(struct stix_checking *c, const struct stix_json *value,
                          const struct stix_place *at);

/* --- check_sdo.c, check_sco.c, check_pattern.c: functions of the rule table --- */

stix_rule_fn stix_rule_extension_definition, stix_rule_external_reference, stix_rule_location,
    stix_rule_malware, stix_rule_observed_data, stix_rule_relationship, stix_rule_email,
    stix_rule_traffic, stix_rule_pe_binary, stix_rule_indicator, stix_rule_marking;

/* --- check_extensions.c (S-077 to S-085) --- */

/* The value of `extensions`: not empty, and each entry by what its key names. */
void stix_check_extensions(struct stix_checking *c, const struct stix_json *value,
                           const struct stix_place *at);

/* What the extension types on an object say about it (S-081, S-085). */
struct stix_extended {
    enum stix_kind new_kind; /* of new-sdo, new-sco, new-sro; STIX_KIND_UNKNOWN without */
    bool toplevel;           /* a toplevel-property-extension is present */
};
/* Read it off `extensions`; all zero without any. */
struct stix_extended stix_extended_by(const struct stix_json *object);

/* --- check_markings.c (S-067 to S-075) --- */

/* A granular marking's selector: well-formed (S-074), and there in the object. */
void stix_check_selector(struct stix_checking *c, struct isg_str selector,
                         const struct stix_place *at);
/* `definition` of a marking, by the object's definition_type. */
void stix_check_definition(struct stix_checking *c, const struct stix_json *value,
                           const struct stix_place *at);

/* A marking names itself nowhere (S-072). */
void stix_check_own_markings(struct stix_checking *c, const struct stix_json *value,
                             const struct stix_place *at);

/* True for the ids of the four TLP 1.0 markings (S-069). */
bool stix_is_tlp_1(struct isg_str marking_id);

/* --- check_content.c: values with a structure of their own --- */

/* True when text has the form of this algorithm's hashes, or the algorithm is unknown (S-016). */
bool stix_hash_fits(struct isg_str name, struct isg_str text);
/* A dictionary of hashes: its keys, and each value by its algorithm (S-016). */
void stix_check_hashes(struct stix_checking *c, const struct stix_json *value,
                       const struct stix_place *at);
/* `contents` of a language-content: translations by language. */
void stix_check_contents(struct stix_checking *c, const struct stix_json *value,
                         const struct stix_place *at);
/* `objects` of an observed-data: a dictionary of 2.0-style observables. */
void stix_check_container(struct stix_checking *c, const struct stix_json *value,
                          const struct stix_place *at);

/* --- check_connected.c (S-041) --- */

/* References must connect all objects of the container (S-041). */
void stix_check_connected(struct stix_checking *c, const struct stix_json *container,
                          const struct stix_place *at);

/* --- check_within.c (S-072, S-076): what only a bundle can show --- */

/* Report markings that mark each other, and translations shaped unlike what they translate. */
void stix_check_within(struct stix_checking *c, const struct stix_json *bundle);

/* --- check_bundle.c (S-086, S-087) --- */

/* An element of `objects`: an object, no bundle (S-086), and valid by itself. */
void stix_check_bundle_element(struct stix_checking *c, const struct stix_json *value,
                               const struct stix_place *at);
/* Warn of a version of an object that stands in the bundle more than once (S-087). */
void stix_check_bundle_twice(struct stix_checking *c, const struct stix_json *bundle);

#endif
