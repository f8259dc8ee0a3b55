#include <string.h>

#include "gateway/store/names.h"
#include "tests/support/tap.h"

static void check_collections(void)
{
    static const struct {
        const char *id;
        bool valid;
    } rows[] = {
        {"91a7b528-80eb-42ed-a74d-c6fbd5a26116", true},
        {"a", true},
        {"A.b_c-9", true},
        {"", false},
        {"a}b", false}, /* would end the hash tag */
        {"a{b", false},
        {"a b", false},
        {"a\nb", false},
        {"../x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ok(names_collection_is_valid(rows[i].id) == rows[i].valid, "collection '%s'", rows[i].id);
    char longest[NAMES_COLLECTION_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[NAMES_COLLECTION_MAX + 1] = '\0';
    ok(!names_collection_is_valid(longest), "one byte too long");
    ok(names_collection_is_valid(longest + 1), "just short enough");
}

static void is_view(struct isg_str got, const char *want)
{
    ok(isg_str_is(got, want), "%s", want);
}

static void check_keys(void)
{
    struct names_key key;
    uint8_t digest[ISG_SHA256_BYTES] = {0xab, 0x01};
    is_view(names_schema(&key), "isg:schema");
    is_view(names_docs(&key, STORE_MEMBER), "isg:{docs}:member");
    is_view(names_docs_generation(&key), "isg:{docs}:generation");
    is_view(names_parts(&key, "c1"), "isg:{docs}:parts:c1");
    is_view(names_status(&key, ISG_STR("s1")), "isg:status:s1");
    is_view(names_lease(&key, "feed:kev"), "isg:lease:feed:kev");
    is_view(names_head(&key, "c1"), "isg:{c:c1}:head");
    is_view(names_block(&key, "c1", 12), "isg:{c:c1}:b:12");
    is_view(names_marks(&key, "c1", 0), "isg:{c:c1}:x:0");
    is_view(names_index(&key, "c1", ISG_STR("tool--1")), "isg:{c:c1}:i:tool--1");
    is_view(names_pack(&key, "c1", 64), "isg:{c:c1}:k:64");
    is_view(names_erased(&key, "c1"), "isg:{c:c1}:z");
    is_view(names_object(&key, "c1", digest),
            "isg:{c:c1}:o:"
            "ab01000000000000000000000000000000000000000000000000000000000000");
    is_view(names_number(&key, UINT64_MAX), "18446744073709551615");
    struct isg_str odd = names_index(&key, "c1", ((struct isg_str){"a\0%s", 4}));
    ok(odd.n == strlen("isg:{c:c1}:i:") + 4, "any byte of an id is kept");
}

/* The longest names fit into a key. */
static void check_longest(void)
{
    char collection[NAMES_COLLECTION_MAX + 1];
    char id[NAMES_ID_MAX];
    struct names_key key;
    memset(collection, 'c', NAMES_COLLECTION_MAX);
    collection[NAMES_COLLECTION_MAX] = '\0';
    memset(id, 'i', sizeof id);
    struct isg_str name = names_index(&key, collection, (struct isg_str){id, sizeof id});
    ok(name.n <= sizeof key.text, "%zu bytes of %zu", name.n, sizeof key.text);
    ok(names_id_is_valid((struct isg_str){id, sizeof id}), "longest id");
    ok(!names_id_is_valid((struct isg_str){id, sizeof id + 1}), "longer id");
    ok(!names_id_is_valid((struct isg_str){"", 0}), "empty id");
}

int main(void)
{
    check_collections();
    check_keys();
    check_longest();
    return tap_done();
}
