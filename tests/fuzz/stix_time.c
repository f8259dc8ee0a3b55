/* Timestamps: what is accepted has an order that fits its microseconds, and formats back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_format(int64_t us)
{
    char text[ISG_TIME_TEXT];
    int64_t back;
    isg_time_format(us, 6, text);
    /* The leap second that ends the year 9999 is the year 10000. */
    if (strlen(text) == 27 && (!isg_time_parse(isg_str_of(text), &back) || back != us))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t half = size / 2;
    struct isg_str a = {text, half};
    struct isg_str b = {text + half, size - half};
    int64_t us_a;
    int64_t us_b;
    if (isg_time_parse((struct isg_str){text, size}, &us_a))
        check_format(us_a);
    if (!isg_time_parse(a, &us_a) || !isg_time_parse(b, &us_b))
        return 0;
    int order = isg_time_cmp(a, b);
    if ((us_a < us_b && order >= 0) || (us_a > us_b && order <= 0))
        abort();
    if (isg_time_cmp(b, a) != -order || isg_time_cmp(a, a) != 0)
        abort();
    return 0;
}
