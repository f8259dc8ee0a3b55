#include "gateway/admin/admin_wire.h"

#include <string.h>

void admin_record_put(struct isg_buf *out, struct isg_str object, const char *facet)
{
    isg_buf_printf(out, "%zu %s\n", object.n, facet != NULL ? facet : "-");
    isg_buf_put_str(out, object);
    isg_buf_putc(out, '\n');
}

bool admin_record_next(struct isg_str *rest, struct isg_str *object, char facet[ADMIN_FACET_MAX],
                       bool *out_bad)
{
    *out_bad = rest->n > 0;
    size_t line_end = isg_str_find(*rest, '\n');
    if (line_end == SIZE_MAX)
        return false;
    struct isg_str line = {rest->p, line_end};
    struct isg_str size_text;
    uint64_t size;
    if (!isg_str_split(&line, ' ', &size_text) || line.p == NULL || line.n == 0 ||
        line.n >= ADMIN_FACET_MAX || !isg_str_to_u64(size_text, SIZE_MAX / 2, &size))
        return false;
    struct isg_str body = isg_str_from(*rest, line_end + 1);
    if (body.n < size + 1 || body.p[size] != '\n')
        return false;
    *object = (struct isg_str){body.p, size};
    bool none = isg_str_is(line, "-");
    memcpy(facet, line.p, none ? 0 : line.n);
    facet[none ? 0 : line.n] = '\0';
    *rest = isg_str_from(body, size + 1);
    *out_bad = false;
    return true;
}
