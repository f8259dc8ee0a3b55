/* Medical domain digest, part 8: names of vendors and products. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/product.h"
#include "stix/base/arena.h"
#include "stix/json.h"
#include "tests/support/tap.h"

static struct isg_arena *arena;

static void test_vendors(void)
{
    static const struct {
        const char *raw;
        const char *key;
        size_t also;
    } rows[] = {
        {"ExampleMed", "examplemed", 0},
        {" ExampleMed\t", "examplemed", 0},
        {"ExampleMed, Inc.", "examplemed", 0},
        {"ExampleMed Developments Co, Ltd.", "examplemed developments", 0},
        {"ExampleMed, Inc. (EM)", "examplemed", 1},
        {"Phillips", "philips", 0},
        {"Philips", "philips", 0},
        {"Becton, Dickinson and Company (BD)", "bd", 1},
        {"General Electric (GE)", "ge healthcare", 1},
        {"B. Braun Melsungen AG", "b braun", 0},
        {"Dr\xc3\xa4ger", "drager", 0},
        {"Example Yhtym\xc3\x83\xc2\xa4 Oy", "example yhtyma", 0}, /* read as Latin-1 once */
        {"Example Yhtym\xc3\xa4 Oy", "example yhtyma", 0},
        {"Company", "company", 0}, /* a name of nothing else stays */
        {"(EM)", "em", 1},
        {"", "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct product_name name = product_vendor(arena, isg_str_of(rows[i].raw), NULL);
        ok(isg_str_is(name.key, rows[i].key), "%s is %.*s", rows[i].raw, ISG_STR_ARG(name.key));
        is_int((long long)name.also.count, (long long)rows[i].also, "other names of %s",
               rows[i].raw);
    }
    static const struct product_alias more[] = {{"examplemed", "example group"}, {NULL, NULL}};
    struct product_name own = product_vendor(arena, ISG_STR("ExampleMed GmbH"), more);
    ok(isg_str_is(own.key, "example group"), "the staff's own alias");
}

static const char *meant(const char *raw, const struct product_alias *more)
{
    return isg_arena_copy(arena, product_vendor(arena, isg_str_of(raw), more).key);
}

static void test_aliases(void)
{
    static const char text[] = "# what we call them\r\n"
                               "\n"
                               " ExampleMed Developments, Inc. = ExampleMed GmbH\n"
                               "EM (the old one)=ExampleMed\n"
                               "EM = Example\xc3\x83\xc2\xa4Med\n" /* replaced below */
                               "GE Healthcare = Example Electric\n"
                               "Examplecare = Phillips\n"
                               "ExampleMed, Ltd. = ExampleMed\n";
    static const struct {
        const char *raw;
        const char *key;
    } rows[] = {
        {"EXAMPLEMED developments", "examplemed"},
        {"EM AG", "examplemed"},
        {"ExampleMed", "examplemed"},
        {"General Electric (GE)", "example electric"}, /* the built-in table leads there first */
        {"Examplecare", "philips"},                    /* the right side goes by it as well */
        {"Phillips", "philips"},
        {"Dr\xc3\xa4ger", "drager"},
    };
    const struct product_alias *more = NULL;
    struct isg_fail why = {.code = ISG_OK};
    struct isg_buf file;
    isg_buf_init(&file, 4096);
    isg_buf_puts(&file, text);
    is_int(product_aliases_read(arena, isg_buf_str(&file), &more, &why), ISG_EINVAL,
           "two meanings of a name");
    is_str(why.path, "line 5", "the line is named");
    char *wrong = strstr(file.p, "EM = ");
    *wrong = '#';
    is_int(product_aliases_read(arena, isg_buf_str(&file), &more, &why), ISG_OK,
           "a file of aliases");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_str(meant(rows[i].raw, more), rows[i].key, "%s with the staff's aliases", rows[i].raw);
    isg_buf_done(&file);
}

static void test_wrong_aliases(void)
{
    static const struct {
        const char *text;
        const char *place;
    } rows[] = {
        {"ExampleMed", "line 1"},
        {"\n= ExampleMed", "line 2"},
        {"ExampleMed = ", "line 1"},
        {"A One = B One\nB One = C One", "line 2"},
        {"B One = C One\nA One = B One", "line 2"},
        {"A One = B One\nB One = A One", "line 2"},
        {"A One = B\xff", "line 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct product_alias *more = NULL;
        struct isg_fail why = {.code = ISG_OK};
        is_int(product_aliases_read(arena, isg_str_of(rows[i].text), &more, &why), ISG_EINVAL,
               "refused: %s", why.text);
        is_str(why.path, rows[i].place, "where");
        ok(more == NULL, "and nothing is handed out");
    }
    const struct product_alias *none = NULL;
    is_int(product_aliases_read(arena, ISG_STR("# nothing yet\n"), &none, NULL), ISG_OK,
           "an empty file");
    ok(none != NULL && none->from == NULL, "is an empty table");
}

static void test_products(void)
{
    static const struct {
        const char *raw;
        const char *key;
    } rows[] = {
        {"ExamplePump  3000", "examplepump 3000"},
        {"ExamplePump-3000 (wireless)", "examplepump 3000"},
        {"ExampleScan XR6+", "examplescan xr6 plus"}, /* another model than XR6 */
        {"ExampleScan XR6 Plus", "examplescan xr6 plus"},
        {"ExamplePump Co", "examplepump co"}, /* no legal form in a product */
        {"Phillips", "phillips"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct product_name name = product_name(arena, isg_str_of(rows[i].raw));
        ok(isg_str_is(name.key, rows[i].key), "%s is %.*s", rows[i].raw, ISG_STR_ARG(name.key));
    }
}

static void collect(const struct stix_json *branches, struct text_list *raw,
                    struct text_list *repaired, struct text_list *keys)
{
    for (size_t i = 0; i < stix_json_size(branches); i++) {
        const struct stix_json *branch = stix_json_at(branches, i);
        if (isg_str_is(stix_json_get_str(branch, "category"), "vendor")) {
            struct isg_str name = stix_json_get_str(branch, "name");
            struct isg_str copy = {isg_arena_copy(arena, name), name.n};
            struct product_name vendor = product_vendor(arena, copy, NULL);
            (void)text_list_add(arena, raw, copy);
            (void)text_list_add(arena, repaired, vendor.display);
            (void)text_list_add(arena, keys, vendor.key);
        }
        collect(stix_json_get(branch, "branches"), raw, repaired, keys);
    }
}

/* Real advisories: 55 spellings, 54 once trimmed (expected.json), 51 vendors. */
static void test_corpus(void)
{
    struct text_list raw = {0};
    struct text_list repaired = {0};
    struct text_list keys = {0};
    const char *found = tap_corpus("medical/csaf-icsma");
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s", found == NULL ? "" : found);
    DIR *dir = found == NULL ? NULL : opendir(folder);
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[5000];
        size_t n = 0;
        struct stix_json *root = NULL;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        char *text =
            isg_str_ends(isg_str_of(entry->d_name), ISG_STR(".json")) ? tap_slurp(path, &n) : NULL;
        if (text != NULL && stix_json_parse((struct isg_str){text, n}, NULL, &root, NULL) == ISG_OK)
            collect(stix_json_get(stix_json_get(root, "product_tree"), "branches"), &raw, &repaired,
                    &keys);
        stix_json_free(&root);
        free(text);
    }
    (void)closedir(dir);
    text_list_sort(&raw);
    text_list_sort(&repaired);
    text_list_sort(&keys);
    is_int((long long)raw.count, 55, "spellings");
    is_int((long long)repaired.count, 54, "trimmed and repaired");
    is_int((long long)keys.count, 51, "vendors");
}

int main(void)
{
    arena = isg_arena_new(1 << 26);
    test_vendors();
    test_aliases();
    test_wrong_aliases();
    test_products();
    test_corpus();
    isg_arena_free(&arena);
    return tap_done();
}
