#include "gateway/cli/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

atomic_bool interrupt_came;

static atomic_int number;

static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
enum { WATCHED = sizeof watched / sizeof watched[0] };

static void note(int signal_number)
{
    atomic_store(&number, signal_number);
    atomic_store(&interrupt_came, true);
}

void interrupt_watch(void)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its write */
    for (size_t i = 0; i < WATCHED; i++) {
        struct sigaction before;
        struct sigaction noted = {.sa_handler = note, .sa_flags = SA_RESTART};
        (void)sigemptyset(&noted.sa_mask);
        if (sigaction(watched[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            (void)sigaction(watched[i], &noted, NULL);
    }
}

int interrupt_check(struct isg_fail *why)
{
    return atomic_load(&interrupt_came)
               ? isg_fail(why, ISG_EBUSY, "interrupted: no file was written")
               : ISG_OK;
}

int interrupt_end(int code)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    if (code == 0 || !atomic_load(&interrupt_came))
        return code;
    (void)sigemptyset(&usual.sa_mask);
    (void)sigaction(atomic_load(&number), &usual, NULL);
    (void)raise(atomic_load(&number));
    return code;
}
