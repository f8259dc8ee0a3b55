/*
 * The directory's inside, for the files that change documents. A change is made under its lock:
 * look at the snapshot, make the document, keep it.
 */
#ifndef GATEWAY_SHARE_DIRECTORY_PRIVATE_H
#define GATEWAY_SHARE_DIRECTORY_PRIVATE_H

#include <pthread.h>

#include "gateway/share/document.h"

enum { DIRECTORY_DOCUMENT_MAX = 4 << 20 };

struct directory {
    struct store *store;
    const struct config *config; /* NULL: any root is taken */
    const struct trust_secret *secret;
    pthread_mutex_t change; /* held while documents change or are loaded */
    pthread_mutex_t swap;   /* held for the moment of taking or replacing the pointer */
    const struct registry *current;
};

/* What a collection is unless its document says otherwise. */
extern const struct collection directory_new_collection;

/* Decides upon directory->current, keeps one document, answers; ISG_EBUSY as directory_keep says. */
typedef int directory_change_fn(struct directory *directory, void *arg, struct isg_fail *why);

/* Make a change; where another gateway came in between, decide again upon what it left behind. */
int directory_change(struct directory *directory, directory_change_fn *change, void *arg,
                     struct isg_fail *why);

/*
 * Write a document that was made from the current snapshot, and load. Under the change lock.
 * ISG_EBUSY: another gateway changed something since that snapshot.
 */
int directory_keep(struct directory *directory, enum store_doc kind, const char *name,
                   struct isg_buf *document, struct isg_fail *why);

/* The same for a member, which gets a new stamp. */
int directory_keep_member(struct directory *directory, struct member *member, struct isg_fail *why);

#endif
