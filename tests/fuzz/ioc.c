/*
 * Reading indicators: the first byte chooses kind and flags, the rest is the value. What is read
 * must read again as itself, and its pattern must be one.
 */
#include "feeds/ioc.h"

#include <stdlib.h>

#include "feeds/exclude.h"
#include "stix/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pattern(const struct ioc *ioc)
{
    struct isg_buf pattern;
    isg_buf_init(&pattern, ISG_BUF_NO_MAX);
    if (ioc_pattern(ioc, &pattern) &&
        stix_pattern_check(isg_buf_str(&pattern), STIX_PATTERN_2_1, NULL) != ISG_OK)
        abort();
    isg_buf_done(&pattern);
}

static void check_again(struct isg_arena *arena, const struct ioc *ioc, unsigned flags)
{
    struct ioc again;
    if (ioc->kind == IOC_IP_PORT)
        return; /* its value is the address alone */
    if (!isg_str_eq(ioc_refang(arena, ioc->value, IOC_MACHINE), ioc->value))
        return; /* taking marks out left what looks like one: it is not taken out again */
    if (ioc_read(arena, ioc->value, ioc->kind, flags | IOC_MACHINE, &again, NULL) != ISG_OK ||
        !isg_str_eq(again.value, ioc->value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ioc ioc;
    if (size == 0)
        return 0;
    enum ioc_kind kind = (enum ioc_kind)(data[0] % (IOC_CVE + 1));
    unsigned flags = data[0] >= 128 ? IOC_MACHINE : 0;
    struct isg_arena *arena = isg_arena_new(1 << 22);
    struct exclude_lists *lists = exclude_new(false);
    struct isg_str text = {(const char *)data + 1, size - 1};
    if (ioc_read(arena, text, kind, flags, &ioc, NULL) == ISG_OK) {
        check_pattern(&ioc);
        check_again(arena, &ioc, flags);
        (void)exclude_check(lists, &ioc);
    }
    exclude_free(&lists);
    isg_arena_free(&arena);
    return 0;
}
