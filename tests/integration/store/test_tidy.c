/* The private server's append-only file is rewritten where that is of use, and only there. */
#define _GNU_SOURCE /* nftw */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/integration/store/bed.h"
#include "tests/support/tap.h"

static const int64_t SECOND_US = 1000000;
static const int64_t HOUR_US = 3600000000;

enum { PIECE = 4 << 20, PIECES = 24, MUCH = 64 << 20, LITTLE = 16 << 20 };

static long long bytes;

static int add_size(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_F && strstr(path, "appendonly") != NULL)
        bytes += (long long)st->st_size;
    return 0;
}

/* Of the files of the append-only log. */
static long long file_bytes(const char *dir)
{
    bytes = 0;
    (void)nftw(dir, add_size, 16, FTW_PHYS);
    return bytes;
}

/* The same document again and again: all but the last are over. */
static bool write_waste(struct store *store)
{
    char *text = malloc(PIECE);
    bool good = text != NULL;
    for (int i = 0; i < PIECES && good; i++) {
        memset(text, 'a' + i, PIECE);
        good = store_doc_put(store, STORE_FACET, ISG_STR("waste"), (struct isg_str){text, PIECE},
                             NULL) == ISG_OK;
    }
    free(text);
    return good;
}

static bool begins(struct store *store, int64_t now_us)
{
    struct isg_fail why = {0};
    bool began = false;
    is_int(store_tidy(store, now_us, &began, &why), ISG_OK, "a look %s", why.text);
    return began;
}

static bool shrinks(const char *dir)
{
    const struct timespec nap = {.tv_nsec = 50000000};
    for (int i = 0; i < 2400 && file_bytes(dir) > LITTLE; i++)
        (void)nanosleep(&nap, NULL);
    return file_bytes(dir) <= LITTLE;
}

int main(void)
{
    char dir[BED_TEXT];
    bed_make(dir);
    struct store *store = bed_open(dir, NULL, 20000);
    int64_t now_us = 1000 * SECOND_US;
    ok(!begins(store, now_us), "an empty file is left alone");
    ok(write_waste(store), "much is written over");
    ok(file_bytes(dir) > MUCH, "the file holds it all: %lld", bytes);
    ok(!begins(store, now_us + SECOND_US), "it is not looked at every second");
    ok(begins(store, now_us + 11 * SECOND_US), "what is mostly over is rewritten");
    ok(shrinks(dir), "and is small then: %lld", bytes);
    ok(!begins(store, now_us + HOUR_US), "a file that is all in use is left alone");
    ok(store_doc_put(store, STORE_FACET, ISG_STR("a"), ISG_STR("{}"), NULL) == ISG_OK, "a word");
    ok(!begins(store, now_us + 23 * HOUR_US), "for a day");
    ok(begins(store, now_us + 25 * HOUR_US), "then it is rewritten, too");
    store_close(&store);
    bed_remove(dir);
    return tap_done();
}
