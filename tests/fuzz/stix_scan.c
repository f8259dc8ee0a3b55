/*
 * The scan and the cutter on the same bytes, the cutter three times: whole, in pieces whose lengths
 * come from the input, and with elements that come unread and are scanned then. All cuttings must
 * agree in every call and in the end; what stix_scan takes as an object the cutter must take too.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/buf.h"
#include "stix/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct cutting {
    struct stix_cutter *cutter;
    bool unread;
    struct isg_buf *trace;
};

static int on_object(void *arg, struct isg_str text, size_t index, struct isg_fail *why)
{
    const struct cutting *cutting = arg;
    size_t offset = stix_cutter_offset(cutting->cutter);
    int err =
        cutting->unread ? stix_cutter_scan(cutting->cutter, text, index, offset, why) : ISG_OK;
    if (err != ISG_OK)
        return err;
    isg_buf_printf(cutting->trace, "%zu:", index);
    isg_buf_put_str(cutting->trace, text);
    /* The grammar held, so a scan may only find fault with the content. */
    struct isg_fail fail;
    if (stix_scan(text, NULL, &fail) != ISG_OK &&
        (strcmp(fail.rule, "S-001") == 0 || strcmp(fail.rule, "limit") == 0))
        abort();
    return ISG_OK;
}

static int on_member(void *arg, struct isg_str name, struct isg_str value, struct isg_fail *why)
{
    const struct cutting *cutting = arg;
    (void)why;
    isg_buf_put_str(cutting->trace, name);
    isg_buf_putc(cutting->trace, '=');
    isg_buf_put_str(cutting->trace, value);
    return stix_scan(value, NULL, NULL) == ISG_OK ? ISG_OK : (abort(), ISG_EINVAL);
}

static struct isg_fail cut(struct isg_str text, uint8_t seed, bool unread, struct isg_buf *trace)
{
    struct isg_fail why = {.code = ISG_OK};
    struct cutting cutting = {.unread = unread, .trace = trace};
    struct stix_cutter *cutter = stix_cutter_new(NULL, on_object, on_member, &cutting);
    if (cutter == NULL)
        abort();
    cutting.cutter = cutter;
    stix_cutter_leave_unread(cutter, unread);
    int err = ISG_OK;
    while (err == ISG_OK && text.n > 0) {
        size_t n = seed == 0 ? text.n : 1 + (seed = (uint8_t)(seed * 77 + 3)) % 23;
        n = n < text.n ? n : text.n;
        char *piece = malloc(n);
        memcpy(piece, text.p, n);
        err = stix_cutter_feed(cutter, (struct isg_str){piece, n}, &why);
        free(piece);
        text = isg_str_from(text, n);
    }
    if (err == ISG_OK)
        err = stix_cutter_end(cutter, &why);
    isg_buf_printf(trace, "\n%d %s %s %s", err, why.path, why.rule, why.text);
    stix_cutter_free(&cutter);
    return why;
}

static bool is_object(struct isg_str text)
{
    text = isg_str_trim(text);
    return text.n > 0 && text.p[0] == '{';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct isg_str text = {(const char *)data + 1, size - 1};
    struct isg_buf whole;
    struct isg_buf other;
    isg_buf_init(&whole, ISG_BUF_NO_MAX);
    struct isg_fail why = cut(text, 0, false, &whole);
    for (int unread = 0; unread < 2; unread++) {
        isg_buf_init(&other, ISG_BUF_NO_MAX);
        (void)cut(text, (uint8_t)(data[0] | 1), unread, &other);
        if (!isg_str_eq(isg_buf_str(&whole), isg_buf_str(&other)))
            abort();
        isg_buf_done(&other);
    }
    /* Of a good object the cutter may only say that its `objects` is no list. */
    bool good = stix_scan(text, NULL, NULL) == ISG_OK && is_object(text);
    if (good && why.code != ISG_OK && strncmp(why.text, "objects is", 10) != 0)
        abort();
    isg_buf_done(&whole);
    return 0;
}
