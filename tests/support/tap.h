/*
 * A unit test prints TAP: one line a check, the plan at the end. main ends with `return tap_done();`.
 */
#ifndef TESTS_SUPPORT_TAP_H
#define TESTS_SUPPORT_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* One check with a formatted name; a failed one also prints file and line. Returns condition. */
#define ok(condition, ...) tap_ok((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Equality of two numbers or two NUL-terminated texts; on failure both are printed. */
#define is_int(got, want, ...) tap_is_int((got), (want), __FILE__, __LINE__, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)

/* Report one check; returns condition. For the macros below. */
bool tap_ok(bool condition, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Report got == want, and both when they differ; true when they are equal. */
bool tap_is_int(long long got, long long want, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Report equal texts, and both when they differ; two NULLs are equal. */
bool tap_is_str(const char *got, const char *want, const char *file, int line, const char *format,
                ...) __attribute__((format(printf, 5, 6)));

/* Print why and leave with 77: this machine cannot run the test. */
void tap_skip_all(const char *reason);

/* Print the plan; 0 when every check held. */
int tap_done(void);

/* The whole content of a file with a NUL behind it (free it), or NULL. *out_len may be NULL. */
char *tap_slurp(const char *path, size_t *out_len);

/* A path below the corpus folder ($ISG_CORPUS), or NULL when there is none. Static storage. */
const char *tap_corpus(const char *below);

#endif
