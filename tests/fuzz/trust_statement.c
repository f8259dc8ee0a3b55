/* Signed statements, minisign files and public keys from anywhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/trust/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key that the seeds of the corpus are signed with; its secret half is gone. */
static const char trusted[] =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAmvX+v2RO0irnsQ+oYSZIjZvurs6zVn4mJi+CA+4orOI=\n-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust_public key;
    static int ready;
    static const uint8_t prehash[64];
    struct isg_str text = {(const char *)data, size};
    struct isg_fail why;
    struct isg_buf out;
    struct trust_public read;
    if (!ready && (trust_start(&why) != ISG_OK ||
                   trust_public_read(isg_str_of(trusted), &key, &why) != ISG_OK))
        abort();
    ready = 1;
    isg_buf_init(&out, 1 << 20);
    enum trust_code code = trust_statement_verify(
        text, "bundle", &(struct trust_ring){&key, 1, 1800000000}, &out, &why);
    if ((code == TRUST_OK) != (out.len > 0) || trust_code_name(code) == NULL)
        abort();
    isg_buf_reset(&out);
    (void)trust_minisig_verify(text, prehash, &key, 1, &why);
    if (trust_public_read(text, &read, &why) == ISG_OK) {
        struct trust_public again;
        trust_public_pem(&read, &out);
        if (trust_public_read(isg_buf_str(&out), &again, &why) != ISG_OK ||
            memcmp(&read, &again, sizeof read) != 0)
            abort();
    }
    isg_buf_done(&out);
    return 0;
}
