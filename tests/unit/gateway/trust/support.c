#define _GNU_SOURCE /* mkdtemp */
#include "tests/unit/gateway/trust/support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tap.h"

enum { PATHS = 8 };

static char folder[] = "/tmp/isg-test-trust-XXXXXX";

void support_begin(void)
{
    struct isg_fail why = {0};
    if (mkdtemp(folder) == NULL)
        tap_skip_all("no temporary folder");
    ok(trust_start(&why) == ISG_OK, "the self-test passes %s", why.text);
}

void support_end(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)support_run(command);
}

const char *support_path(const char *name)
{
    static char paths[PATHS][256];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void support_write(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, p, n) != (ssize_t)n || close(fd) != 0)
        ok(false, "%s can be written", path);
}

struct trust_key *support_key(const char *name)
{
    struct trust_key *key = NULL;
    struct trust_public made;
    struct isg_fail why = {0};
    struct isg_str passphrase = ISG_STR("a passphrase for tests");
    int err = trust_key_new(support_path(name), TRUST_CONTENT, passphrase, &made, &why);
    if (err == ISG_OK)
        err = trust_key_load(support_path(name), passphrase, &key, &why);
    if (!ok(err == ISG_OK && strcmp(made.kid, trust_key_public(key)->kid) == 0,
            "a key is made and read %s", why.text))
        exit(tap_done());
    return key;
}

struct trust_key *support_corpus_key(void)
{
    struct trust_key *key = NULL;
    struct isg_fail why = {0};
    size_t n = 0;
    const char *path = tap_corpus("signing/vectors/content-a.key");
    char *text = path != NULL ? tap_slurp(path, &n) : NULL;
    if (text == NULL)
        return NULL;
    support_write(support_path("corpus.key"), text, n);
    free(text);
    ok(trust_key_load(support_path("corpus.key"), ISG_STR("correct horse battery staple"), &key,
                      &why) == ISG_OK,
       "the corpus key file opens %s", why.text);
    return key;
}

int support_run(const char *command)
{
    char line[2048];
    (void)snprintf(line, sizeof line, "{ %s ; } >/dev/null 2>&1", command);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
