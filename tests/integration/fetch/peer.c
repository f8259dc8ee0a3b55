#include "peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int read_port(FILE *file)
{
    char line[32];
    return fgets(line, sizeof line, file) != NULL ? (int)strtol(line, NULL, 10) : 0;
}

int peer_start(struct peer *peer, const char *python, const char *script)
{
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0)
        return 0;
    peer->pid = fork();
    if (peer->pid == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)close(in[0]);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)close(out[1]);
        (void)execl(python, python, script, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    peer->alive = in[1];
    peer->out = fdopen(out[0], "r");
    peer->port = read_port(peer->out);
    peer->other_port = read_port(peer->out);
    return peer->port > 0 && peer->other_port > 0;
}

void peer_stop(struct peer *peer)
{
    (void)close(peer->alive);
    (void)fclose(peer->out);
    (void)waitpid(peer->pid, NULL, 0);
}
