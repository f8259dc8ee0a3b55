#include "gateway/store/info.h"
#include "tests/support/tap.h"

static void check_lines(void)
{
    static const char text[] = "# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\n"
                               "role:master\r\nempty:\r\nodd:12x\r\nlast:-7";
    struct isg_str info = isg_str_of(text);
    ok(isg_str_is(info_text(info, "role"), "master"), "a text without its line end");
    is_int(info_number(info, "used_memory"), 1048576, "a number, not that of a longer name");
    is_int(info_number(info, "last"), -7, "a last line without an end");
    ok(info_text(info, "empty").n == 0 && info_text(info, "used").n == 0,
       "nothing, and no such line");
    is_int(info_number(info, "odd"), 0, "no number");
    is_int(info_number((struct isg_str){"", 0}, "last"), 0, "no text");
}

int main(void)
{
    check_lines();
    return tap_done();
}
