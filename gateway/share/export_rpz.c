/*
 * A response policy zone: names that are answered with "no such name", with all below them, and
 * addresses whose answers are. All names are relative, so that the zone may have any name.
 */
#include <string.h>

#include "gateway/share/export_write.h"

/* A name of 255 bytes on the wire, with "*." in front and a zone's own name of up to 64 behind. */
enum { NAME_MAX_BYTES = 253 - 2 - 1 - 64, TTL = 300, WORDS = 8 };

static void rpz_begin(struct export *run)
{
    isg_buf_printf(&run->text,
                   "$TTL %d\n"
                   "@ IN SOA localhost. hostmaster.localhost. %lu 3600 600 604800 %d\n"
                   "@ IN NS localhost.\n",
                   TTL, (unsigned long)((uint64_t)run->options.now_us / 1000000 & 0xffffffffU),
                   TTL);
}

/* A last label by which a server would take the name for a trigger or a policy of another kind. */
static bool is_trigger(struct isg_str name)
{
    struct isg_str label = name;
    for (size_t dot = isg_str_find(label, '.'); dot != SIZE_MAX; dot = isg_str_find(label, '.'))
        label = isg_str_from(label, dot + 1);
    return isg_str_starts(label, ISG_STR("rpz-"));
}

static enum export_reason put_name(struct export *run, struct isg_str name)
{
    if (is_trigger(name))
        return EXPORT_UNSAFE;
    if (name.n > NAME_MAX_BYTES)
        return EXPORT_TOO_LONG;
    if (!export_is_new(run, name))
        return EXPORT_DUPLICATE;
    isg_buf_printf(&run->text, "%.*s IN CNAME .\n*.%.*s IN CNAME .\n", ISG_STR_ARG(name),
                   ISG_STR_ARG(name));
    return EXPORT_KEPT;
}

/* The first of the longest runs of two or more zero words. */
static unsigned zero_run(const unsigned words[WORDS], unsigned *out_at)
{
    unsigned longest = 1;
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned n = 0;
        while (i + n < WORDS && words[i + n] == 0)
            n++;
        if (n > longest) {
            longest = n;
            *out_at = i;
        }
    }
    return longest > 1 ? longest : 0;
}

/* Words last first, the run of zeros as zz. */
static void put_v6(struct isg_buf *out, const uint8_t address[16])
{
    unsigned words[WORDS];
    unsigned at = 0;
    for (size_t i = 0; i < WORDS; i++)
        words[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    unsigned run = zero_run(words, &at);
    for (unsigned i = WORDS; i-- > 0;) {
        if (run > 0 && i == at + run - 1) {
            isg_buf_puts(out, ".zz");
            i = at;
        } else {
            isg_buf_printf(out, ".%x", words[i]);
        }
    }
}

static enum export_reason put_address(struct export *run, const struct ioc *ioc)
{
    bool v4 = ioc->kind == IOC_IPV4 || ioc->kind == IOC_CIDR4;
    size_t slash = isg_str_find(ioc->value, '/');
    uint64_t bits = v4 ? 32 : 128;
    const uint8_t *a = ioc->first;
    if (slash != SIZE_MAX && !isg_str_to_u64(isg_str_from(ioc->value, slash + 1), bits, &bits))
        return EXPORT_VALUE;
    if (!export_is_new(run, ioc->value))
        return EXPORT_DUPLICATE;
    isg_buf_put_u64(&run->text, bits);
    if (v4)
        isg_buf_printf(&run->text, ".%u.%u.%u.%u", a[15], a[14], a[13], a[12]);
    else
        put_v6(&run->text, a);
    isg_buf_puts(&run->text, ".rpz-ip IN CNAME .\n");
    return EXPORT_KEPT;
}

static enum export_reason rpz_row(struct export *run, const struct export_row *row)
{
    if (row->ioc->kind == IOC_DOMAIN)
        return put_name(run, row->ioc->value);
    return row->ioc->kind >= IOC_IPV4 && row->ioc->kind <= IOC_CIDR6 ? put_address(run, row->ioc)
                                                                     : EXPORT_NO_FORM;
}

const struct export_format export_rpz = {.name = "rpz", .begin = rpz_begin, .row = rpz_row};
