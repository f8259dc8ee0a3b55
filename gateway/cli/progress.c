#include "gateway/cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, INTERVAL_MS = 100 };

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, uint64_t whole)
{
    *progress = (struct progress){.whole = whole, .terminal = isatty(STDERR_FILENO) == 1};
}

static void draw(struct progress *progress)
{
    char bar[BAR + 1];
    uint64_t done = progress->done < progress->whole ? progress->done : progress->whole;
    unsigned percent = progress->whole == 0 ? 0 : (unsigned)(100 * done / progress->whole);
    for (unsigned i = 0; i < BAR; i++)
        bar[i] = (char)(i < percent * BAR / 100 ? '#' : '-');
    bar[BAR] = '\0';
    if (progress->whole > 0)
        (void)fprintf(stderr, "\r[%s] %3u %%, %llu objects", bar, percent,
                      (unsigned long long)progress->objects);
    else
        (void)fprintf(stderr, "\r%llu objects", (unsigned long long)progress->objects);
    (void)fflush(stderr);
    progress->drawn = true;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t objects)
{
    progress->done = done;
    progress->objects = objects;
    if (!progress->terminal)
        return;
    int64_t now = now_ms();
    if (progress->drawn && now - progress->drawn_ms < INTERVAL_MS)
        return;
    progress->drawn_ms = now;
    draw(progress);
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        (void)fputs("\r\033[K", stderr);
    progress->drawn = false;
}
