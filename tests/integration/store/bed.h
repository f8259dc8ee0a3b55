/*
 * What the store's integration tests share: an instance folder below /tmp, a redis-server of the
 * test's own, and objects to push.
 */
#ifndef TESTS_INTEGRATION_STORE_BED_H
#define TESTS_INTEGRATION_STORE_BED_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/store/store.h"

enum { BED_TEXT = 256 };

/* A new empty folder; leaves the test as skipped where there is no redis-server. */
void bed_make(char dir[BED_TEXT]);
/* Remove a folder with everything in it. */
void bed_remove(const char *dir);

/* A redis-server of our own on DIR/own.sock, as durable as the private one. Its URL in url. */
pid_t bed_redis(const char *dir, char url[BED_TEXT]);
/* Send the signal and wait for the end; nothing for a pid that is none. */
void bed_end(pid_t pid, int signal);

/* Pid of the private server of an instance. */
pid_t bed_private_pid(const char *dir);

/* A store with a private server in dir (url NULL), or with url. Ends the test when it fails. */
struct store *bed_open(const char *dir, const char *url, unsigned timeout_ms);

/* An object of our own making; text lives in it. */
struct bed_object {
    char id[64];
    char version[40];
    char label[64];
    char canon[192];
    uint8_t digest[ISG_SHA256_BYTES];
};

/* What a push looks like; version "" means an object without `modified`. */
void bed_object(struct bed_object *object, unsigned number, const char *version, const char *label,
                const char *content);
/* The object as store_put wants it; borrows object's texts. Its source is "hospital-a". */
struct store_put bed_put(const struct bed_object *object);

/*
 * Read the canonical bytes of that object back, as an event of its id with its digest has them.
 * Returns what store_versions or store_objects do; *size is SIZE_MAX where there are none.
 */
int bed_read(struct store *store, const char *collection, const struct bed_object *object,
             struct isg_buf *out, size_t *size);

/* A label filter that lets all through; arg is not looked at. */
bool bed_sees_all(void *arg, struct isg_str label);

/* arg is the only label seen. */
bool bed_sees_one(void *arg, struct isg_str label);

#define BED_SEES_ALL        (&(const struct store_eyes){.can_see = bed_sees_all})
#define BED_SEES_ONE(label) (&(const struct store_eyes){bed_sees_one, (label)})

/* Push one object; its verdict, or STORE_FAILED. *out_put may be NULL. */
enum store_verdict bed_push(struct store *store, const char *collection,
                            const struct bed_object *object, const char *sees,
                            struct store_put *out_put);

#endif
