#include "gateway/store/info.h"

#include <string.h>

struct isg_str info_text(struct isg_str info, const char *name)
{
    struct isg_str line;
    size_t n = strlen(name);
    while (isg_str_split(&info, '\n', &line)) {
        if (line.n > n && line.p[n] == ':' && memcmp(line.p, name, n) == 0)
            return isg_str_trim(isg_str_from(line, n + 1));
    }
    return (struct isg_str){"", 0};
}

int64_t info_number(struct isg_str info, const char *name)
{
    int64_t n = 0;
    (void)isg_str_to_i64(info_text(info, name), &n);
    return n;
}
