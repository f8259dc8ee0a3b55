#include "tests/support/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int checks;
static int failures;

__attribute__((format(printf, 4, 0))) static bool report(bool good, const char *file, int line,
                                                         const char *format, va_list args)
{
    checks++;
    printf("%s %d - ", good ? "ok" : "not ok", checks);
    vprintf(format, args);
    putchar('\n');
    if (!good) {
        failures++;
        printf("# at %s:%d\n", file, line);
    }
    (void)fflush(stdout);
    return good;
}

bool tap_ok(bool condition, const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(condition, file, line, format, args);
    va_end(args);
    return condition;
}

bool tap_is_int(long long got, long long want, const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool good = report(got == want, file, line, format, args);
    va_end(args);
    if (!good)
        printf("# got %lld, want %lld\n", got, want);
    return good;
}

bool tap_is_str(const char *got, const char *want, const char *file, int line, const char *format,
                ...)
{
    va_list args;
    bool same = got != NULL && want != NULL ? strcmp(got, want) == 0 : got == want;
    va_start(args, format);
    bool good = report(same, file, line, format, args);
    va_end(args);
    if (!good)
        printf("# got  %s\n# want %s\n", got != NULL ? got : "(null)",
               want != NULL ? want : "(null)");
    return good;
}

void tap_skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(77);
}

int tap_done(void)
{
    printf("1..%d\n", checks);
    return failures == 0 && checks > 0 ? 0 : 1;
}

char *tap_slurp(const char *path, size_t *out_len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    struct stat info;
    if (fstat(fileno(file), &info) != 0) {
        (void)fclose(file);
        return NULL;
    }
    size_t size = (size_t)info.st_size;
    char *text = malloc(size + 1);
    if (text != NULL) {
        size = fread(text, 1, size, file);
        text[size] = '\0';
        if (out_len != NULL)
            *out_len = size;
    }
    (void)fclose(file);
    return text;
}

const char *tap_corpus(const char *below)
{
    static char path[4096];
    const char *root = getenv("ISG_CORPUS");
    struct stat info;
    if (root == NULL)
        root = "../shared/corpus";
    if (snprintf(path, sizeof path, "%s/%s", root, below) >= (int)sizeof path ||
        stat(path, &info) != 0)
        return NULL;
    return path;
}
