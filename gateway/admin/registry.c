/* Members and collections: the directory does the work, this file names its errors. */
#include "gateway/admin/admin_private.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

int admin_members_list(struct admin_call *call, struct isg_fail *why)
{
    (void)why;
    const struct registry *registry = directory_get(call->admin->parts.directory);
    isg_buf_puts(call->reply, "{\"members\":[");
    for (size_t i = 0; i < registry->members_count; i++) {
        if (i > 0)
            isg_buf_putc(call->reply, ',');
        member_write(&registry->members[i], call->reply);
    }
    isg_buf_puts(call->reply, "]}");
    registry_unref(&registry);
    return ISG_OK;
}

static int write_member(struct admin_call *call, struct isg_str name, struct isg_fail *why)
{
    const struct registry *registry = directory_get(call->admin->parts.directory);
    const struct member *member = registry_member(registry, name);
    if (member != NULL)
        member_write(member, call->reply);
    registry_unref(&registry);
    return member != NULL ? ISG_OK
                          : isg_fail(why, ISG_ENOENT, "no member `%.*s`", ISG_STR_ARG(name));
}

int admin_members_show(struct admin_call *call, struct isg_fail *why)
{
    return write_member(call, call->name, why);
}

int admin_members_add(struct admin_call *call, struct isg_fail *why)
{
    call->status = 201;
    return directory_put_member(call->admin->parts.directory, http_body(call->request), true,
                                call->reply, why);
}

/* A change carries the name in the path; the body must not name another member. */
static int body_names(struct isg_str body, const char *key, struct isg_str name,
                      struct isg_fail *why)
{
    struct stix_json *json = NULL;
    int err = stix_json_parse(body, NULL, &json, why);
    if (err != ISG_OK)
        return err;
    if (!isg_str_eq(stix_json_get_str(json, key), name))
        err = isg_fail(why, ISG_EINVAL, "the body's `%s` is not the one in the path", key);
    stix_json_free(&json);
    return err;
}

int admin_members_set(struct admin_call *call, struct isg_fail *why)
{
    struct isg_str body = http_body(call->request);
    int err = body_names(body, "name", call->name, why);
    if (err == ISG_OK)
        err = directory_put_member(call->admin->parts.directory, body, false, call->reply, why);
    return err;
}

int admin_members_token(struct admin_call *call, struct isg_fail *why)
{
    struct isg_str body = http_body(call->request);
    return directory_member_token(call->admin->parts.directory, call->name,
                                  body.n > 0 ? body : ISG_STR("{}"), call->reply, why);
}

int admin_members_revoke(struct admin_call *call, struct isg_fail *why)
{
    struct isg_str which = admin_param(call, "token");
    if (which.n == 0)
        return isg_fail(why, ISG_EINVAL, "which token? (parameter `token`: its id or label)");
    return directory_revoke_token(call->admin->parts.directory, call->name, which, call->reply,
                                  why);
}

/* A collection with the number of its events, for people. */
static void put_collection(struct admin_call *call, const struct collection *collection)
{
    struct store_head head;
    isg_buf_puts(call->reply, "{\"collection\":");
    collection_write(collection, call->reply);
    if (store_head(call->admin->parts.store, collection->id, 1000, &head, NULL) == ISG_OK)
        isg_buf_printf(call->reply, ",\"events\":%llu", (unsigned long long)head.position);
    isg_buf_putc(call->reply, '}');
}

int admin_collections_list(struct admin_call *call, struct isg_fail *why)
{
    (void)why;
    const struct registry *registry = directory_get(call->admin->parts.directory);
    isg_buf_puts(call->reply, "{\"collections\":[");
    for (size_t i = 0; i < registry->collections_count; i++) {
        if (i > 0)
            isg_buf_putc(call->reply, ',');
        put_collection(call, &registry->collections[i]);
    }
    isg_buf_puts(call->reply, "]}");
    registry_unref(&registry);
    return ISG_OK;
}

int admin_collections_add(struct admin_call *call, struct isg_fail *why)
{
    call->status = 201;
    return directory_put_collection(call->admin->parts.directory, http_body(call->request), true,
                                    call->reply, why);
}

int admin_collections_set(struct admin_call *call, struct isg_fail *why)
{
    const struct registry *registry = directory_get(call->admin->parts.directory);
    const struct collection *collection = NULL;
    struct isg_str body = http_body(call->request);
    int err = registry_collection(registry, (struct isg_str){"", 0}, call->name, &collection, why);
    if (err == ISG_OK)
        err = body_names(body, "id", isg_str_of(collection->id), why);
    registry_unref(&registry);
    if (err == ISG_OK)
        err = directory_put_collection(call->admin->parts.directory, body, false, call->reply, why);
    return err;
}
