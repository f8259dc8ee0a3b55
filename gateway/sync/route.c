#include "gateway/sync/route.h"

int route_open(const char *dir, const struct config_route *config, struct route *out,
               struct isg_fail *why)
{
    *out = (struct route){.proxy_auth = NULL};
    int err = header_lines_read(dir, config->header_file, &out->headers, why);
    if (err == ISG_OK)
        err = secret_line_read(dir, config->proxy_auth_file, &out->proxy_auth, why);
    if (err != ISG_OK)
        route_done(out);
    return err;
}

void route_done(struct route *route)
{
    header_lines_done(&route->headers);
    secret_free(&route->proxy_auth);
}
