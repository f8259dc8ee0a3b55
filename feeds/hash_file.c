#include "feeds/hash_file.h"

#include <string.h>

const char *hash_file_end(enum hash_kind kind)
{
    return kind == HASH_SHA512 ? ".sha512" : ".sha256";
}

void hash_hex(enum hash_kind kind, struct isg_str text, char out[HASH_HEX])
{
    uint8_t digest[ISG_SHA512_BYTES];
    if (kind == HASH_SHA512) {
        struct isg_sha512 hash;
        isg_sha512_init(&hash);
        isg_sha512_add(&hash, text.p, text.n);
        isg_sha512_end(&hash, digest);
    } else {
        isg_sha256(text, digest);
    }
    isg_hex_encode(digest, kind == HASH_SHA512 ? ISG_SHA512_BYTES : ISG_SHA256_BYTES, out);
}

int hash_file_check(enum hash_kind kind, struct isg_str text, struct isg_str hash_file,
                    struct isg_fail *why)
{
    char hex[HASH_HEX];
    struct isg_str given = isg_str_trim(hash_file);
    hash_hex(kind, text, hex);
    size_t n = strlen(hex);
    bool whole = given.n == n || (given.n > n && strchr(" \t\r\n", given.p[n]) != NULL);
    if (whole && isg_str_ieq((struct isg_str){given.p, n}, isg_str_of(hex)))
        return ISG_OK;
    return isg_fail_at(why, ISG_EINVAL, NULL, "E_HASH",
                       "E_HASH: the document is not the one its hash file names");
}
