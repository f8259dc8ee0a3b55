/*
 * Errors: one number space for the whole program, and a failure that says where and why.
 *
 * Codes are sorted by what the caller can do about them. A struct isg_fail lives on the caller's
 * stack, travels up untouched and becomes the TAXII error resource, the log line and the message
 * on the terminal, so that all three say the same.
 */
#ifndef ISG_BASE_ERR_H
#define ISG_BASE_ERR_H

#include <stdbool.h>

enum { ISG_OS_ERROR_TEXT = 128 }; /* bytes isg_os_error() fills at most */

enum isg_err {
    ISG_OK = 0,
    ISG_ENOMEM = -1,    /* no memory */
    ISG_EPARSE = -2,    /* not of the grammar: JSON, base64, timestamp */
    ISG_EINVAL = -3,    /* of the grammar, but breaks a rule */
    ISG_ELIMIT = -4,    /* a size, depth or count is over its bound */
    ISG_ENOENT = -5,    /* not there, or not for this reader */
    ISG_ECONFLICT = -6, /* another thing is there already */
    ISG_EDENIED = -7,   /* known, but not allowed */
    ISG_EAUTH = -8,     /* not known: credentials missing or wrong */
    ISG_ENET = -9,      /* the network or the other side failed */
    ISG_ESTORE = -10,   /* Redis failed or is out of reach */
    ISG_ESIGN = -11,    /* a signature does not hold */
    ISG_EBUSY = -12,    /* a queue is full; try again */
    ISG_EIO = -13,      /* a file could not be read or written */
    ISG_EUSAGE = -14    /* the command line or the configuration is wrong */
};

/* What went wrong, where, and by which rule. All three texts are NUL-terminated and printable. */
struct isg_fail {
    int code;
    char path[192]; /* JSON Pointer into the input, or "" */
    char rule[48];  /* e.g. "S-035" or "T-034", or "" */
    char text[256];
};

/* Short English text for a code; never NULL, also for unknown numbers. */
const char *isg_strerror(int code);

/* HTTP status that answers this code at the edge: 400, 401, ... 503. */
int isg_err_http(int code);

/* sysexits(3) value for this code: 64 usage, 65 data, 69 unavailable, 74 I/O, 75 temporary, ... */
int isg_err_exit(int code);

/* True when the same call may succeed later (ISG_EBUSY, ISG_ESTORE, ISG_ENET). */
bool isg_err_is_temporary(int code);

/* Fill why (may be NULL) with code and a formatted text, clear path and rule; returns code. */
int isg_fail(struct isg_fail *why, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As isg_fail, with the JSON Pointer and the rule number. path and rule may be NULL. */
int isg_fail_at(struct isg_fail *why, int code, const char *path, const char *rule,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The system's text for an errno value, in the caller's own bytes, for strerror() shares its
 * bytes between threads. Returns text; numbers unknown to the system get a text as well. errno is
 * left as it was. */
const char *isg_os_error(int errnum, char text[ISG_OS_ERROR_TEXT]);

/* As isg_os_error, into bytes that live as long as the block around the call. */
#define ISG_OS_ERROR(errnum) isg_os_error((errnum), (char[ISG_OS_ERROR_TEXT]){""})

#ifdef __clang_analyzer__
/* That a failure is never ISG_OK is not to be seen across files: tell the analyzer which code
 * comes back, lest it follows paths on which a failed call reports success. */
#    define isg_fail(why, code, ...) (isg_fail((why), (code), __VA_ARGS__), (code))
#    define isg_fail_at(why, code, path, rule, ...) \
        (isg_fail_at((why), (code), (path), (rule), __VA_ARGS__), (code))
#endif

#endif
