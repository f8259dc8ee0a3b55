/*
 * The shape of the tables behind types.h: what a property holds, who needs it, what it points to.
 *
 * Private to stix/. A field left out of a row is its first value: an optional single string.
 * Section numbers are those of the rules (S-nnn) a row comes from.
 */
#ifndef STIX_TYPES_TABLE_H
#define STIX_TYPES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stix/check.h"
#include "stix/types.h"

/* What one value of a property is. */
enum stix_value {
    STIX_STRING, /* form and vocab say more */
    STIX_ANY,    /* whatever JSON holds, but no null and nothing empty */
    STIX_BOOLEAN,
    STIX_INTEGER,        /* min and max, where they differ */
    STIX_FLOAT,          /* likewise */
    STIX_INT_OR_STRING,  /* ipfix, exif_tags */
    STIX_TIMESTAMP,      /* S-007 */
    STIX_VERSION_TIME,   /* created, modified: three digits at least (S-009) */
    STIX_IDENTIFIER,     /* targets say where it may point */
    STIX_HASHES,         /* S-016 */
    STIX_EMBEDDED,       /* an object with a table of its own */
    STIX_CONTAINER,      /* observed-data.objects (S-041) */
    STIX_EXTENSIONS,     /* S-079 */
    STIX_CONTENTS,       /* language-content.contents (S-076) */
    STIX_SELECTOR,       /* a path into the object (S-074) */
    STIX_SPEC_VERSION,   /* "2.1" (S-024) */
    STIX_OWN_TYPE,       /* type: looked at before anything else */
    STIX_OWN_ID,         /* id: its type is the object's (S-013, S-023) */
    STIX_DEFINITION,     /* marking-definition.definition (S-068) */
    STIX_BUNDLE_CONTENT, /* bundle.objects (S-086) */
};

/* How many of them. */
enum stix_shape {
    STIX_ONE,
    STIX_LIST,        /* at least one (S-003) */
    STIX_DICT,        /* dictionary of values (S-015) */
    STIX_DICT_OF_LIST /* dictionary of lists of values */
};

enum stix_need {
    STIX_OPTIONAL,
    STIX_REQUIRED,
    STIX_SHOULD /* a warning when it is absent */
};

/* Word lists of section 18, sorted by byte. */
struct stix_vocab {
    const char *name;
    bool closed; /* an enum: another word is an error (S-019) */
    size_t n;
    const char *const *words;
};

/* The text form of a string; what fits may still be ill-advised, which is a warning. */
struct stix_form {
    bool (*fits)(struct isg_str text);
    enum stix_level level;
    const char *rule;
    const char *message;
    bool (*advised)(struct isg_str text); /* may be NULL; asked of what fits */
    const char *advice;
};

/* A form without advice. */
#define STIX_FORM(test, severity, section, sentence)                                  \
    {                                                                                 \
        .fits = (test), .level = (severity), .rule = (section), .message = (sentence) \
    }

enum { STIX_TARGETS_MAX = 6 };

/* Where a reference may point: whole kinds, or types by name. */
struct stix_targets {
    unsigned kinds; /* STIX_KINDS() bits; that of STIX_KIND_UNKNOWN admits custom types */
    const char *types[STIX_TARGETS_MAX]; /* NULL-ended unless full */
    const char *message;
};

#define STIX_KIND_BIT(kind) (1U << (kind))

struct stix_prop {
    const char *name;
    enum stix_value value;
    enum stix_shape shape;
    enum stix_need need;
    const char *rule; /* of absence and of wrong targets; NULL: S-130 */
    const struct stix_form *form;
    const struct stix_vocab *vocab;
    const struct stix_targets *targets;
    const struct stix_type *object; /* of STIX_EMBEDDED */
    int64_t min;
    int64_t max;
};

/* A type of object, a predefined extension, or a type that is only embedded in others. */
struct stix_type {
    const char *name;
    enum stix_kind kind; /* STIX_KIND_UNKNOWN when it has no identifier of its own */
    size_t n;
    const struct stix_prop *props; /* sorted by name */
    const char *some;              /* rule: at least one own property must be there, or NULL */
    const char *extends;           /* of a predefined extension: the type it stands on */
};

#define STIX_PROPS(array) .n = sizeof(array) / sizeof(array)[0], .props = (array)

/* A common property: one letter a kind, in the order of enum stix_kind (column UNKNOWN unused). */
struct stix_common {
    struct stix_prop prop;
    char need[9]; /* '!' required, '?' optional, 'c' custom here, 'x' forbidden */
};

enum { STIX_TYPE_PROPS_MAX = 64 }; /* bits of the set of properties seen */

/* Row of props with this name, or -1. */
int stix_prop_find(const struct stix_type *type, const char *name);

/* The common properties, sorted by name. */
extern const struct stix_common stix_commons[];
extern const size_t stix_commons_n;
/* Row of a common property in stix_commons, or -1. */
int stix_common_find(const char *name);

/* The predefined extension of this name, or NULL (S-064). */
const struct stix_type *stix_extension_find(const char *name);

/* What one of the project's own extensions holds, by the id of its definition; NULL: not ours. */
const struct stix_type *stix_own_extension_find(const char *key);

/* True when word is in the list. */
bool stix_vocab_has(const struct stix_vocab *vocab, struct isg_str word);

/* True when text is one of n sorted words. */
bool stix_words_have(const char *const *words, size_t n, struct isg_str text);

/* True when a reference to an object of this type is allowed. */
bool stix_targets_admit(const struct stix_targets *targets, struct isg_str type);

/* True when the standard defines this relation for this pair of types (S-053). */
bool stix_relation_is_defined(struct isg_str source, struct isg_str name, struct isg_str target);

/* One file each; types.c joins them. */
extern const struct stix_type stix_sdo_types[], stix_sco_types[], stix_meta_types[],
    stix_extension_types[];
extern const size_t stix_sdo_types_n, stix_sco_types_n, stix_meta_types_n, stix_extension_types_n;

/* Types embedded in the common properties. */
extern const struct stix_type stix_external_reference, stix_kill_chain_phase, stix_granular_marking;

/* Targets used in more than one file. */
extern const struct stix_targets stix_to_identity, stix_to_marking, stix_to_software, stix_to_sco,
    stix_to_file_artifact, stix_to_any;

/* Vocabularies (vocab.c). */
#define V(name) extern const struct stix_vocab stix_vocab_##name
V(account_type);
V(attack_motivation);
V(attack_resource_level);
V(encryption_algorithm);
V(extension_type);
V(grouping_context);
V(hash_algorithm);
V(identity_class);
V(implementation_language);
V(indicator_type);
V(industry_sector);
V(infrastructure_type);
V(malware_capabilities);
V(malware_result);
V(malware_type);
V(network_socket_address_family);
V(network_socket_type);
V(opinion);
V(pattern_type);
V(processor_architecture);
V(region);
V(report_type);
V(threat_actor_type);
V(threat_actor_role);
V(threat_actor_sophistication);
V(tlp);
V(tlp_2);
V(tool_type);
V(windows_integrity_level);
V(windows_pebinary_type);
V(windows_registry_datatype);
V(windows_service_start_type);
V(windows_service_status);
V(windows_service_type);
#undef V

/* Text forms (forms.c, forms_address.c, forms_name.c). */
#define F(name) extern const struct stix_form stix_form_##name
F(administrative_area);
F(binary);
F(charset);
F(country);
F(cpe);
F(dashed);
F(domain);
F(email);
F(hex);
F(ipv4);
F(ipv6);
F(language);
F(mac);
F(mime);
F(priority_class);
F(protocol);
F(registry_key);
F(relation);
F(second);
F(semver);
F(uri);
F(url);
#undef F

#endif
