/* Reading and writing the documents of members and collections, rights, and look-ups. */
#include <stdio.h>
#include <string.h>

#include "gateway/share/document.h"
#include "tests/support/tap.h"

#define BY_NAME "{\"issuer\":\"CN=CA,O=St Mary\",\"san\":\"DNS:Pump.Example\"}"
#define FP64    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct member empty_member = {.kind = MEMBER_KIND_COUNT,
                                           .tlp_max = STIX_TLP_RED,
                                           .requests_per_minute = MEMBER_AS_CONFIGURED};
static const struct collection empty_collection = {.default_tlp = STIX_TLP_AMBER};

static struct isg_arena *arena;

static int read_member(const char *text, enum document_where where, struct member *out,
                       struct isg_fail *why)
{
    struct stix_json *json = NULL;
    *out = empty_member;
    int err = stix_json_parse(isg_str_of(text), NULL, &json, why);
    if (err == ISG_OK)
        err = member_read(json, where, arena, out, why);
    stix_json_free(&json);
    return err;
}

static int read_collection(const char *text, struct collection *out, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    *out = empty_collection;
    int err = stix_json_parse(isg_str_of(text), NULL, &json, why);
    if (err == ISG_OK)
        err = collection_read(json, DOCUMENT_BODY, arena, out, why);
    stix_json_free(&json);
    return err;
}

static void check_member_bodies(void)
{
    static const struct {
        const char *json;
        int want;
        const char *path;
    } rows[] = {
        {"{\"name\":\"a\",\"kind\":\"mdm\"}", ISG_OK, ""},
        {"{\"name\":\"a.b_c-9\",\"kind\":\"public\",\"title\":\"A\",\"tlp_max\":\"green\","
         "\"suspended\":true,\"certificates\":[\"" FP64 "\"],\"password\":\"12345678\"}",
         ISG_OK, ""},
        {"{\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"a\"}", ISG_EINVAL, "/kind"},
        {"{\"name\":\"A\",\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"-a\",\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"a:b\",\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"staff\",\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"all\",\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":7,\"kind\":\"mdm\"}", ISG_EINVAL, "/name"},
        {"{\"name\":\"a\",\"kind\":\"clinic\"}", ISG_EINVAL, "/kind"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"tlp_max\":\"pink\"}", ISG_EINVAL, "/tlp_max"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"suspended\":1}", ISG_EINVAL, "/suspended"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"password\":\"pa\"}", ISG_OK, ""},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"password\":\"\"}", ISG_EINVAL, "/password"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"password\":\"12345678\\u0007\"}", ISG_EINVAL,
         "/password"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"certificates\":[\"00\"]}", ISG_EINVAL,
         "/certificates"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"title\":\"x\\ny\"}", ISG_EINVAL, "/title"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"role~/s\":[]}", ISG_EINVAL, "/role~0~1s"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"password_hash\":\"x\"}", ISG_EINVAL, "/password_hash"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"tokens\":[]}", ISG_EINVAL, "/tokens"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"stamp\":1}", ISG_EINVAL, "/stamp"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"keep_old_s\":86400,\"requests_per_minute\":60}",
         ISG_OK, ""},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"keep_old_s\":2592001}", ISG_EINVAL, "/keep_old_s"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"keep_old_s\":-1}", ISG_EINVAL, "/keep_old_s"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"old_password\":{}}", ISG_EINVAL, "/old_password"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"requests_per_minute\":-1}", ISG_EINVAL,
         "/requests_per_minute"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"requests_per_minute\":null}", ISG_OK, ""},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"certificates\":[" BY_NAME "]}", ISG_OK, ""},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"add_certificate\":" BY_NAME "}", ISG_OK, ""},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"add_certificate\":{\"san\":\"DNS:a\"}}", ISG_EINVAL,
         "/add_certificate"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"add_certificate\":{\"issuer\":\"CN=CA\",\"san\":"
         "\"CN:a\"}}",
         ISG_EINVAL, "/add_certificate"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"add_certificate\":{\"issuer\":\"CN=CA\",\"san\":"
         "\"DNS:\"}}",
         ISG_EINVAL, "/add_certificate"},
        {"{\"name\":\"a\",\"kind\":\"mdm\",\"remove_certificate\":\"" FP64 "\"}", ISG_EINVAL,
         "/remove_certificate"},
        {"[]", ISG_EINVAL, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct member member;
        struct isg_fail why = {.code = ISG_OK};
        int err = read_member(rows[i].json, DOCUMENT_BODY, &member, &why);
        is_int(err, rows[i].want, "%s", rows[i].json);
        is_str(why.path, rows[i].path, "its path");
    }
}

/* A change by an administrator. */
static int apply(const char *text, struct member *member)
{
    struct stix_json *json = NULL;
    struct isg_fail why;
    int err = stix_json_parse(isg_str_of(text), NULL, &json, &why);
    if (err == ISG_OK)
        err = member_read(json, DOCUMENT_BODY, arena, member, &why);
    stix_json_free(&json);
    return err;
}

/* Blanks that tools print between the parts of a name mean nothing; all others do. */
static void check_issuers(void)
{
    static const struct {
        const char *said, *form;
    } rows[] = {
        {"CN=Pumps CA,O=Pumps", "CN=Pumps CA,O=Pumps"},
        {"CN=Pumps CA, O=Pumps", "CN=Pumps CA,O=Pumps"},
        {"  CN = Pumps CA ,  O= Pumps  ", "CN=Pumps CA,O=Pumps"},
        {"CN=a + OU = b,C=DE", "CN=a+OU=b,C=DE"},
        {"CN=a = b, O=c", "CN=a = b,O=c"},
        {"CN=Pumps\\\\, Ltd, O=\\\\ x\\\\ , C=DE", "CN=Pumps\\, Ltd,O=\\ x\\ ,C=DE"},
        {"O=\\\"a, b \\\" , CN=c", "O=\"a, b \",CN=c"},
        {" ", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[256];
        struct member member;
        struct isg_fail why;
        (void)snprintf(json, sizeof json,
                       "{\"name\":\"a\",\"kind\":\"mdm\",\"certificates\":[{\"issuer\":\"%s\","
                       "\"san\":\"DNS:a\"}]}",
                       rows[i].said);
        int err = read_member(json, DOCUMENT_BODY, &member, &why);
        if (ok((err == ISG_OK) == (rows[i].form[0] != '\0'), "issuer '%s'", rows[i].said) &&
            err == ISG_OK)
            is_str(member.certificates[0].issuer, rows[i].form, "in its form");
    }
}

static void check_member_round(void)
{
    struct member member, again;
    struct member_token token = {.created_us = 1700000000000000, .expires_us = 0};
    char label[] = "ci";
    struct isg_buf text, more;
    struct isg_fail why;
    memset(token.mac, 0xa5, sizeof token.mac);
    token.label = label;
    is_int(
        read_member("{\"name\":\"a\",\"kind\":\"mdm\",\"certificates\":[\"00:11:22:33:44:55:66:77"
                    ":88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\"]}",
                    DOCUMENT_BODY, &member, &why),
        ISG_OK, "a member");
    is_str(member.certificates[0].fingerprint, FP64, "fingerprints are kept in one form");
    is_str(member.title, "a", "the title is the name unless given");
    is_int(apply("{\"add_certificate\":" BY_NAME "}", &member), ISG_OK, "a certificate more");
    is_int(apply("{\"add_certificate\":" BY_NAME "}", &member), ISG_OK, "twice is once");
    is_int((int)member.certificates_count, 2, "two in all");
    is_str(member.certificates[1].san, "DNS:pump.example", "a host name has one form");
    is_int(
        apply("{\"add_certificate\":{\"issuer\":\"CN=CA\",\"san\":\"IP:2001:DB8:0::1\"}}", &member),
        ISG_OK, "an address");
    is_str(member.certificates[2].san, "IP:2001:db8::1", "has one form too");
    is_int(apply("{\"remove_certificate\":{\"issuer\":\"CN=CA\",\"san\":\"IP:2001:db8::1\"}}",
                 &member),
           ISG_OK, "any form takes it away");
    is_int(apply("{\"add_certificate\":{\"issuer\":\"CN=CA\",\"san\":\"IP:2001\"}}", &member),
           ISG_EINVAL, "what is no address is none");
    is_int(apply("{\"remove_certificate\":\"" FP64 "\"}", &member), ISG_OK, "one is taken away");
    ok(member.certificates_count == 1 && member.certificates[0].fingerprint == NULL,
       "and the other stays");
    char old_hash[] = "$argon2id$old";
    member.old_password_hash = old_hash;
    member.old_password_until_us = 1700000000000000;
    member.requests_per_minute = 0;
    member.tokens = &token;
    member.tokens_count = 1;
    member.stamp = 42;
    isg_buf_init(&text, 1 << 16);
    isg_buf_init(&more, 1 << 16);
    member_write_kept(&member, &text);
    is_int(read_member(text.p, DOCUMENT_KEPT, &again, &why), ISG_OK, "reads what it keeps: %s",
           why.text);
    member_write_kept(&again, &more);
    is_str(more.p, text.p, "and writes the same");
    isg_buf_reset(&text);
    member_write(&again, &text);
    ok(strstr(text.p, "a5a5") == NULL && strstr(text.p, "argon2") == NULL &&
           strstr(text.p, "stamp") == NULL,
       "lists have no secrets");
    isg_buf_done(&text);
    isg_buf_done(&more);
}

#define ID4 "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"

static void check_collection_bodies(void)
{
    static const struct {
        const char *json;
        int want;
        const char *path;
    } rows[] = {
        {"{\"title\":\"T\"}", ISG_OK, ""},
        {"{\"title\":\"T\",\"id\":\"" ID4
         "\",\"alias\":\"t-1\",\"read\":\"all\",\"write\":\"none\","
         "\"handling\":\"submission\",\"publish_to\":\"x\",\"default_tlp\":\"red\"}",
         ISG_OK, ""},
        {"{}", ISG_EINVAL, "/title"},
        {"{\"title\":\"T\",\"id\":\"9b1deb4d-3b7d-1bad-9bdd-2b0d7b3dcb6d\"}", ISG_EINVAL, "/id"},
        {"{\"title\":\"T\",\"alias\":\"" ID4 "\"}", ISG_EINVAL, "/alias"},
        {"{\"title\":\"T\",\"alias\":\"a/b\"}", ISG_EINVAL, "/alias"},
        {"{\"title\":\"T\",\"publish_to\":\"x\"}", ISG_EINVAL, "/publish_to"},
        {"{\"title\":\"T\",\"handling\":\"mail\"}", ISG_EINVAL, "/handling"},
        {"{\"title\":\"T\",\"read\":[\"kind:clinic\"]}", ISG_EINVAL, "/read"},
        {"{\"title\":\"T\",\"read\":\"a,,b\"}", ISG_EINVAL, "/read"},
        {"{\"title\":\"T\",\"read\":[\"a\",\"all\"]}", ISG_EINVAL, "/read"},
        {"{\"title\":\"T\",\"write\":7}", ISG_EINVAL, "/write"},
        {"{\"title\":\"T\",\"can_read\":true}", ISG_EINVAL, "/can_read"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collection collection;
        struct isg_fail why = {.code = ISG_OK};
        is_int(read_collection(rows[i].json, &collection, &why), rows[i].want, "%s", rows[i].json);
        is_str(why.path, rows[i].path, "its path");
    }
}

static void check_rights(void)
{
    static const struct {
        const char *right, *name, *kind;
        bool suspended, reads, writes;
    } rows[] = {
        {"\"all\"", "a", "hospital", false, true, true},
        {"\"all\"", "a", "hospital", true, false, false},
        {"\"all\"", "s", "isao_staff", false, true, true},
        {"\"all\"", "p", "public", false, true, false},
        {"[\"all\"]", "a", "hospital", false, true, true},
        {"\"none\"", "a", "hospital", false, false, false},
        {"\"none\"", "s", "isao_staff", false, true, false},
        {"[]", "a", "hospital", false, false, false},
        {"[\"a\"]", "a", "hospital", false, true, true},
        {"[\"a\"]", "ab", "hospital", false, false, false},
        {"[\"a\"]", "s", "isao_staff", false, true, false},
        {"\"b, a\"", "a", "hospital", false, true, true},
        {"\"staff\"", "s", "isao_staff", false, true, true},
        {"\"staff\"", "a", "hospital", false, false, false},
        {"[\"kind:mdm\"]", "m", "mdm", false, true, true},
        {"[\"kind:mdm\"]", "a", "hospital", false, false, false},
        {"[\"kind:mdm\"]", "m", "mdm", true, false, false},
        {"[\"kind:isao_staff\"]", "s", "isao_staff", false, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collection collection;
        struct member member = empty_member;
        char *text = isg_arena_printf(arena, "{\"title\":\"T\",\"read\":%s,\"write\":%s}",
                                      rows[i].right, rows[i].right);
        is_int(read_collection(text, &collection, NULL), ISG_OK, "%s", rows[i].right);
        member.name = isg_arena_copy(arena, isg_str_of(rows[i].name));
        member_kind_of(isg_str_of(rows[i].kind), &member.kind);
        member.suspended = rows[i].suspended;
        ok(collection_can_read(&collection, &member) == rows[i].reads, "%s reads", rows[i].name);
        ok(collection_can_write(&collection, &member) == rows[i].writes, "%s writes", rows[i].name);
    }
    struct collection collection;
    is_int(
        read_collection("{\"title\":\"T\",\"read\":\"all\",\"write\":\"all\"}", &collection, NULL),
        ISG_OK, "open to all");
    ok(!collection_can_read(&collection, NULL) && !collection_can_write(&collection, NULL),
       "nobody has no rights");
}

static void check_lookups(void)
{
    struct registry *registry = registry_new(1);
    static const char *const collections[] = {
        "{\"id\":\"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d\",\"root\":\"api\",\"title\":\"Same\","
        "\"alias\":\"one\"}",
        "{\"id\":\"1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed\",\"root\":\"api\",\"title\":\"Same\"}",
        "{\"id\":\"2c5ea4c0-4067-41e9-8bad-9b1deb4d3b7d\",\"root\":\"two\",\"title\":\"Other\","
        "\"alias\":\"one\"}",
    };
    static const struct {
        const char *root, *name;
        int want;
        const char *id;
    } rows[] = {
        {"api", "one", ISG_OK, "9b1deb4d"},
        {"two", "one", ISG_OK, "2c5ea4c0"},
        {"", "one", ISG_ECONFLICT, NULL},
        {"", "Other", ISG_OK, "2c5ea4c0"},
        {"api", "Other", ISG_ENOENT, NULL},
        {"api", "Same", ISG_ECONFLICT, NULL},
        {"", "1B9D6BCD-BBFD-4B2D-9B5D-AB8DFBBD4BED", ISG_OK, "1b9d6bcd"},
        {"two", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", ISG_ENOENT, NULL},
        {"api", "", ISG_ENOENT, NULL},
    };
    for (size_t i = 0; i < 3; i++) {
        struct collection collection;
        is_int(read_collection(collections[i], &collection, NULL), ISG_OK, "collection %zu", i);
        registry_add_collection(registry, &collection);
    }
    for (char name = 'z'; name >= 'a'; name--) {
        struct member member = empty_member;
        member.kind = MEMBER_MDM;
        member.name = isg_arena_printf(arena, "%c", name);
        registry_add_member(registry, &member);
    }
    is_int(registry_finish(registry), ISG_OK, "a snapshot");
    ok(registry->collections[0].id[0] == '1' && registry->collections[2].id[0] == '9',
       "collections are sorted by id (T-032)");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct collection *found = NULL;
        is_int(registry_collection(registry, isg_str_of(rows[i].root), isg_str_of(rows[i].name),
                                   &found, NULL),
               rows[i].want, "%s in '%s'", rows[i].name, rows[i].root);
        ok(rows[i].id == NULL || (found != NULL && strncmp(found->id, rows[i].id, 8) == 0), "is %s",
           rows[i].id == NULL ? "none" : rows[i].id);
    }
    const struct member *member = registry_member(registry, ISG_STR("m"));
    ok(member != NULL && strcmp(member->name, "m") == 0, "a member is found");
    ok(registry_member(registry, ISG_STR("mm")) == NULL, "or not");
    struct isg_fail why;
    struct collection collection;
    is_int(
        read_collection("{\"title\":\"T\",\"read\":\"a\",\"write\":[\"staff\",\"b\",\"nobody\"]}",
                        &collection, NULL),
        ISG_OK, "names are looked up later");
    is_int(collection_check_names(&collection, registry, &why), ISG_EINVAL, "unknown member");
    is_str(why.path, "/write/2", "its place");
    const struct registry *held = registry;
    registry_unref(&held);
}

int main(void)
{
    arena = isg_arena_new(1 << 24);
    check_member_bodies();
    check_member_round();
    check_issuers();
    check_collection_bodies();
    check_rights();
    check_lookups();
    isg_arena_free(&arena);
    return tap_done();
}
