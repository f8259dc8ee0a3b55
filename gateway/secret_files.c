#include "gateway/secret_files.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gateway/log.h"

static void look(const char *name, const char *path, secret_file_see *see, void *arg)
{
    struct stat info;
    if (path == NULL)
        return;
    enum secret_file_state state = SECRET_FILE_PRIVATE;
    if (stat(path, &info) != 0)
        state = SECRET_FILE_MISSING;
    else if ((info.st_mode & 077) != 0)
        state = SECRET_FILE_SHOWN;
    see(arg, name, path, state);
}

static void look_route(const struct config_route *route, secret_file_see *see, void *arg)
{
    look("headers", route->header_file, see, arg);
    look("client key", route->client_key, see, arg);
    look("proxy login", route->proxy_auth_file, see, arg);
}

static void look_feed(const struct feed_def *feed, secret_file_see *see, void *arg)
{
    look("feed headers", feed->header_file, see, arg);
    look("feed client key", feed->client_key, see, arg);
    look("feed proxy login", feed->proxy_auth_file, see, arg);
}

/* Those of the instance's own making. */
static void look_own(const struct config *config, secret_file_see *see, void *arg)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/secrets/instance.secret", config->dir);
    look("instance secret", path, see, arg);
    (void)snprintf(path, sizeof path, "%s/content.key", config->keys.dir);
    look("signing key", path, see, arg);
}

void secret_files_each(const struct config *config, secret_file_see *see, void *arg)
{
    look_own(config, see, arg);
    look("tls key", config->tls.key, see, arg);
    look("key passphrase", config->keys.passphrase_file, see, arg);
    look("redis password", config->redis.password_file, see, arg);
    for (unsigned i = 0; i < config->peers_count; i++) {
        look("peer password", config->peers[i].password_file, see, arg);
        look_route(&config->peers[i].route, see, arg);
    }
    for (unsigned i = 0; i < config->feeds_count; i++)
        look_feed(&config->feeds[i], see, arg);
    for (unsigned i = 0; i < config->webhooks_count; i++) {
        look("webhook secret", config->webhooks[i].secret_file, see, arg);
        look_route(&config->webhooks[i].route, see, arg);
    }
}

static void tell(void *arg, const char *name, const char *path, enum secret_file_state state)
{
    (void)arg;
    if (state == SECRET_FILE_SHOWN)
        LOG(LOG_ERROR, "secret.shown", log_cstr("what", name), log_cstr("file", path),
            log_cstr("hint", "others may read it: chmod 600, and renew the secret"));
}

void secret_files_tell(const struct config *config)
{
    secret_files_each(config, tell, NULL);
}
