#include "stix/base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "stix/base/utf8.h"

struct err_row {
    const char *text;
    int http;
    int exit;
    bool temporary;
};

/* Index is the negated code. */
static const struct err_row err_table[] = {
    /* clang-format off */
    [-ISG_OK]        = {"ok",                      200,  0, false},
    [-ISG_ENOMEM]    = {"out of memory",           503, 71, true},
    [-ISG_EPARSE]    = {"not well-formed",         422, 65, false},
    [-ISG_EINVAL]    = {"breaks a rule",           422, 65, false},
    [-ISG_ELIMIT]    = {"over a limit",            413, 65, false},
    [-ISG_ENOENT]    = {"not found",               404,  1, false},
    [-ISG_ECONFLICT] = {"already there",           409,  1, false},
    [-ISG_EDENIED]   = {"not allowed",             403, 77, false},
    [-ISG_EAUTH]     = {"not authenticated",       401, 77, false},
    [-ISG_ENET]      = {"network failure",         502, 69, true},
    [-ISG_ESTORE]    = {"store not available",     503, 69, true},
    [-ISG_ESIGN]     = {"signature does not hold", 422,  1, false},
    [-ISG_EBUSY]     = {"busy",                    503, 75, true},
    [-ISG_EIO]       = {"input or output failed",  500, 74, false},
    [-ISG_EUSAGE]    = {"wrong usage",             400, 64, false},
    /* clang-format on */
};

static_assert(sizeof err_table / sizeof err_table[0] == -ISG_EUSAGE + 1,
              "every code has its row in err_table");

static const struct err_row unknown_row = {"unknown error", 500, 70, false};

static const struct err_row *row_of(int code)
{
    if (code > 0 || code < ISG_EUSAGE)
        return &unknown_row;
    return &err_table[-code];
}

const char *isg_strerror(int code)
{
    return row_of(code)->text;
}

int isg_err_http(int code)
{
    return row_of(code)->http;
}

int isg_err_exit(int code)
{
    return row_of(code)->exit;
}

bool isg_err_is_temporary(int code)
{
    return row_of(code)->temporary;
}

/* Text from outside may ride in a message, perhaps cut. */
__attribute__((format(printf, 5, 0))) static void fail_fill(struct isg_fail *why, int code,
                                                            const char *path, const char *rule,
                                                            const char *format, va_list args)
{
    why->code = code;
    (void)snprintf(why->path, sizeof why->path, "%s", path != NULL ? path : "");
    (void)snprintf(why->rule, sizeof why->rule, "%s", rule != NULL ? rule : "");
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    isg_utf8_printable(why->path);
    isg_utf8_printable(why->text);
}

#undef isg_fail /* what the analyzer is told elsewhere is defined here */
#undef isg_fail_at

int isg_fail(struct isg_fail *why, int code, const char *format, ...)
{
    if (why != NULL) {
        va_list args;
        va_start(args, format);
        fail_fill(why, code, NULL, NULL, format, args);
        va_end(args);
    }
    return code;
}

int isg_fail_at(struct isg_fail *why, int code, const char *path, const char *rule,
                const char *format, ...)
{
    if (why != NULL) {
        va_list args;
        va_start(args, format);
        fail_fill(why, code, path, rule, format, args);
        va_end(args);
    }
    return code;
}

const char *isg_os_error(int errnum, char text[ISG_OS_ERROR_TEXT])
{
    int saved = errno;
    if (strerror_r(errnum, text, ISG_OS_ERROR_TEXT) != 0)
        (void)snprintf(text, ISG_OS_ERROR_TEXT, "error %d of the system", errnum);
    errno = saved;
    return text;
}
