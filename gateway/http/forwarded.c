#include "gateway/http/forwarded.h"

#include <string.h>

/* Cut the last element of a comma-separated list off; false when there is none. */
static bool take_last(struct isg_str *list, struct isg_str *out)
{
    size_t n = list->n;
    if (n == 0)
        return false;
    while (n > 0 && list->p[n - 1] != ',')
        n--;
    *out = isg_str_trim((struct isg_str){list->p + n, list->n - n});
    list->n = n > 0 ? n - 1 : 0;
    return true;
}

/* "192.0.2.1", and as some proxies write it "192.0.2.1:4711", "[2001:db8::1]:4711", in quotes. */
static struct isg_str without_port(struct isg_str text)
{
    if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (struct isg_str){text.p + 1, text.n - 2};
    size_t bracket = isg_str_find(text, ']');
    if (text.n > 0 && text.p[0] == '[' && bracket < text.n)
        return (struct isg_str){text.p + 1, bracket - 1};
    size_t colon = isg_str_find(text, ':');
    if (colon < text.n && isg_str_find(isg_str_from(text, colon + 1), ':') >= text.n)
        text.n = colon;
    return text;
}

void forwarded_client(const struct networks *proxies, struct isg_str value, struct isg_str peer,
                      char out[NETWORKS_ADDRESS_TEXT])
{
    struct isg_str said;
    char next[NETWORKS_ADDRESS_TEXT];
    size_t n = peer.n < NETWORKS_ADDRESS_TEXT - 1 ? peer.n : NETWORKS_ADDRESS_TEXT - 1;
    memcpy(out, peer.p, n);
    out[n] = '\0';
    while (networks_have(proxies, isg_str_of(out)) && take_last(&value, &said) &&
           networks_address(without_port(said), next))
        memcpy(out, next, sizeof next);
}
