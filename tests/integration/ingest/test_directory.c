/* Members and collections kept in the store: changes, conflicts, other gateways' changes, tokens. */
#include <stdio.h>
#include <string.h>

#include "gateway/share/auth.h"
#include "tests/integration/ingest/fixture.h"
#include "tests/support/tap.h"

static struct fixture f;

static void check_members(void)
{
    static const struct {
        const char *json;
        bool create;
        int want;
        const char *path;
    } rows[] = {
        {"{\"name\":\"alice\",\"kind\":\"mdm\"}", true, ISG_ECONFLICT, "/name"},
        {"{\"name\":\"nina\"}", true, ISG_EINVAL, "/kind"},
        {"{\"name\":\"nina\",\"suspended\":true}", false, ISG_ENOENT, "/name"},
        {"{\"name\":\"nina\",\"kind\":\"mdm\",\"password\":\"swordfish\"}", true, ISG_OK, ""},
        {"{\"name\":\"nina\",\"title\":\"Nina's\"}", false, ISG_OK, ""},
        {"{\"name\":\"nina\",\"certificates\":[\"00112233445566778899aabbccddeeff"
         "00112233445566778899aabbccddeeff\"]}",
         false, ISG_OK, ""},
        {"{\"name\":\"bob\",\"certificates\":[\"00112233445566778899aabbccddeeff"
         "00112233445566778899aabbccddeeff\"]}",
         false, ISG_ECONFLICT, "/certificates"},
        {"{\"name\":\"nina\",\"password\":\"short\"}", false, ISG_OK, ""}, /* the command warns */
        {"{\"name\":\"nina\",\"password\":\"\"}", false, ISG_EINVAL, "/password"},
        {"{\"name\":", false, ISG_EPARSE, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct isg_fail why = {.code = ISG_OK};
        struct isg_buf out;
        isg_buf_init(&out, 1 << 16);
        int err =
            directory_put_member(f.directory, isg_str_of(rows[i].json), rows[i].create, &out, &why);
        is_int(err, rows[i].want, "%s: %s", rows[i].json, why.text);
        ok(err == ISG_EPARSE || strcmp(why.path, rows[i].path) == 0, "path '%s'", why.path);
        ok((err == ISG_OK) == (out.len > 0), "answers with the member");
        ok(out.p == NULL || strstr(out.p, "argon2") == NULL, "but not with the hash");
        isg_buf_done(&out);
    }
    const struct registry *registry = directory_get(f.directory);
    const struct member *nina = registry_member(registry, ISG_STR("nina"));
    ok(nina != NULL && strcmp(nina->title, "Nina's") == 0 && nina->kind == MEMBER_MDM &&
           nina->certificates_count == 1 && nina->password_hash != NULL,
       "absent members of a body stay");
    registry_unref(&registry);
}

static void check_collections(void)
{
    static const struct {
        const char *json;
        bool create;
        int want;
        const char *path;
    } rows[] = {
        {"{\"title\":\"two\",\"alias\":\"main\"}", true, ISG_ECONFLICT, "/alias"},
        {"{\"title\":\"two\",\"alias\":\"main\",\"root\":\"other\"}", true, ISG_OK, ""},
        {"{\"title\":\"three\",\"read\":[\"alice\",\"nobody\"]}", true, ISG_EINVAL, "/read/1"},
        {"{\"title\":\"three\",\"handling\":\"submission\",\"publish_to\":\"nowhere\"}", true,
         ISG_EINVAL, "/publish_to"},
        {"{\"title\":\"three\",\"handling\":\"submission\",\"publish_to\":\"box\"}", true,
         ISG_EINVAL, "/publish_to"},
        {"{\"id\":\"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d\",\"title\":\"four\"}", true, ISG_OK, ""},
        {"{\"id\":\"9B1DEB4D-3b7d-4bad-9bdd-2b0d7b3dcb6d\",\"title\":\"four\"}", true,
         ISG_ECONFLICT, "/id"},
        {"{\"id\":\"9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d\",\"read\":\"all\"}", false, ISG_OK, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct isg_fail why = {.code = ISG_OK};
        int err = directory_put_collection(f.directory, isg_str_of(rows[i].json), rows[i].create,
                                           NULL, &why);
        is_int(err, rows[i].want, "%s: %s", rows[i].json, why.text);
        is_str(why.path, rows[i].path, "its path");
    }
    const struct registry *registry = directory_get(f.directory);
    const struct collection *four = NULL;
    is_int(registry_collection(registry, ISG_STR("api"), ISG_STR("four"), &four, NULL), ISG_OK,
           "four");
    ok(four != NULL && four->read.all && !four->write.all && four->write.names_count == 1,
       "its read right changed, its write right stayed with staff");
    registry_unref(&registry);
}

/* Another directory on the same store stands for another gateway. */
static void check_refresh(void)
{
    struct directory *other = NULL;
    struct isg_fail why;
    is_int(directory_open(f.store, NULL, f.secret, &other, &why), ISG_OK, "another gateway");
    is_int(directory_put_member(other, ISG_STR("{\"name\":\"bob\",\"suspended\":true}"), false,
                                NULL, &why),
           ISG_OK, "suspends a member");
    const struct registry *before = directory_get(f.directory);
    ok(!registry_member(before, ISG_STR("bob"))->suspended, "not known here");
    is_int(directory_refresh(f.directory, &why), ISG_OK, "until a look");
    const struct registry *after = directory_get(f.directory);
    ok(registry_member(after, ISG_STR("bob"))->suspended, "now it is");
    ok(!registry_member(before, ISG_STR("bob"))->suspended, "a snapshot in use does not change");
    is_int(directory_refresh(f.directory, &why), ISG_OK, "a look again");
    const struct registry *same = directory_get(f.directory);
    ok(same == after, "changes nothing");
    registry_unref(&same);
    registry_unref(&before);
    registry_unref(&after);
    directory_close(&other);
}

/* A change decided upon a snapshot that is not the last one must not undo what others did. */
static void check_stale(void)
{
    struct directory *other = NULL;
    struct isg_fail why;
    is_int(directory_open(f.store, NULL, f.secret, &other, &why), ISG_OK, "another gateway");
    is_int(directory_put_member(other, ISG_STR("{\"name\":\"carol\",\"kind\":\"mdm\"}"), true, NULL,
                                &why),
           ISG_OK, "makes a member");
    is_int(directory_put_member(f.directory, ISG_STR("{\"name\":\"carol\",\"kind\":\"hospital\"}"),
                                true, NULL, &why),
           ISG_ECONFLICT, "which cannot be made here again");
    is_int(directory_put_member(other, ISG_STR("{\"name\":\"carol\",\"suspended\":true}"), false,
                                NULL, &why),
           ISG_OK, "and suspends it");
    is_int(directory_put_member(f.directory, ISG_STR("{\"name\":\"carol\",\"title\":\"C\"}"), false,
                                NULL, &why),
           ISG_OK, "its title is changed here");
    const struct registry *registry = directory_get(f.directory);
    const struct member *carol = registry_member(registry, ISG_STR("carol"));
    ok(carol != NULL && carol->suspended && strcmp(carol->title, "C") == 0,
       "and it stays suspended");
    registry_unref(&registry);
    directory_close(&other);
}

static void check_tokens(void)
{
    struct isg_buf out;
    struct isg_fail why;
    struct auth *auth = auth_new(f.secret);
    char header[128] = "Bearer ";
    isg_buf_init(&out, 4096);
    is_int(directory_member_token(f.directory, ISG_STR("nobody"), ISG_STR("{}"), &out, &why),
           ISG_ENOENT, "a token for nobody");
    is_int(directory_member_token(f.directory, ISG_STR("alice"), ISG_STR("{\"label\":\"ci\"}"),
                                  &out, &why),
           ISG_OK, "a token");
    const char *token = out.p == NULL ? NULL : strstr(out.p, "isg_");
    if (ok(token != NULL, "is told once"))
        memcpy(header + 7, token, 4 + 43);
    const struct registry *registry = directory_get(f.directory);
    const struct member *member = NULL;
    unsigned retry_s = 0;
    struct auth_request request = {.authorization = isg_str_of(header),
                                   .peer = ISG_STR("192.0.2.1")};
    is_int(auth_check(auth, registry, &request, false, &member, &retry_s, &why), ISG_OK,
           "and works");
    ok(member != NULL && strcmp(member->name, "alice") == 0, "for its member");
    struct isg_buf kept;
    isg_buf_init(&kept, 1 << 16);
    is_int(store_doc_get(f.store, STORE_MEMBER, ISG_STR("alice"), &kept, &why), ISG_OK, "kept");
    ok(kept.p != NULL && strstr(kept.p, header + 7) == NULL, "the store has its hash only");
    isg_buf_done(&kept);
    isg_buf_done(&out);
    registry_unref(&registry);
    auth_free(&auth);
}

static void check_damaged(void)
{
    struct directory *other = NULL;
    struct isg_fail why;
    is_int(store_doc_put(f.store, STORE_MEMBER, ISG_STR("mia"), ISG_STR("{\"name\":"), &why),
           ISG_OK, "a damaged document");
    is_int(directory_open(f.store, NULL, f.secret, &other, &why), ISG_OK, "does not stop a start");
    const struct registry *registry = directory_get(other);
    ok(registry_member(registry, ISG_STR("mia")) == NULL, "but is nobody");
    ok(registry_member(registry, ISG_STR("alice")) != NULL, "others are there");
    registry_unref(&registry);
    directory_close(&other);
}

int main(void)
{
    fixture_open(&f);
    check_members();
    check_collections();
    check_refresh();
    check_stale();
    check_tokens();
    check_damaged();
    fixture_close(&f);
    return tap_done();
}
