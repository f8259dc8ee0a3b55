/* What parses has a canonical text; that parses again to the same text. Numbers read back alike. */
#include <stdint.h>
#include <stdlib.h>

#include "stix/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int canon(struct isg_str text, struct isg_buf *out)
{
    struct stix_json *tree = NULL;
    int err = stix_json_parse(text, NULL, &tree, NULL);
    if (err == ISG_OK)
        stix_json_canon(tree, out);
    stix_json_free(&tree);
    return err;
}

/* A float such as 1e20 is written as an integer that the scan holds to be out of range. */
static bool is_big_integer(const struct isg_fail *why)
{
    return isg_str_starts(isg_str_of(why->text), ISG_STR("an integer outside"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct isg_buf first;
    struct isg_buf second;
    struct isg_fail why;
    isg_buf_init(&first, ISG_BUF_NO_MAX);
    isg_buf_init(&second, ISG_BUF_NO_MAX);
    if (canon((struct isg_str){(const char *)data, size}, &first) == ISG_OK) {
        if (stix_scan(isg_buf_str(&first), NULL, &why) != ISG_OK) {
            if (!is_big_integer(&why))
                abort();
        } else if (canon(isg_buf_str(&first), &second) != ISG_OK ||
                   !isg_str_eq(isg_buf_str(&first), isg_buf_str(&second))) {
            abort();
        }
    }
    isg_buf_done(&first);
    isg_buf_done(&second);
    return 0;
}
