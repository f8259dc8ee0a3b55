/*
 * A file for Zeek's intelligence framework: columns by tabs, \xHH for what has a meaning to the
 * reader. Addresses of the web stand without their scheme, as Zeek builds them from what it sees.
 */
#include "gateway/share/export_write.h"

enum { TEXT_MAX = 200 };

static const struct {
    enum ioc_kind kind;
    const char *type;
} types[] = {
    {IOC_IPV4, "Intel::ADDR"},           {IOC_IPV6, "Intel::ADDR"},
    {IOC_CIDR4, "Intel::SUBNET"},        {IOC_CIDR6, "Intel::SUBNET"},
    {IOC_DOMAIN, "Intel::DOMAIN"},       {IOC_URL, "Intel::URL"},
    {IOC_EMAIL, "Intel::EMAIL"},         {IOC_MD5, "Intel::FILE_HASH"},
    {IOC_SHA1, "Intel::FILE_HASH"},      {IOC_SHA256, "Intel::FILE_HASH"},
    {IOC_CERT_SHA1, "Intel::CERT_HASH"},
};

static const char *type_of(enum ioc_kind kind)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind == kind)
            return types[i].type;
    }
    return NULL;
}

/*
 * Text of a field: a backslash would begin an escape, "-" alone is "not set", "(empty)" is what it
 * says, and # begins a remark.
 */
static void put_field(struct isg_buf *out, struct isg_str text)
{
    if (text.n == 0) {
        isg_buf_putc(out, '-');
        return;
    }
    bool special = isg_str_is(text, "-") || isg_str_is(text, "(empty)") || text.p[0] == '#';
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f || c == '\\' || (special && i == 0))
            isg_buf_printf(out, "\\x%02x", c);
        else
            isg_buf_putc(out, (char)c);
    }
}

/* Host and path as one: what Zeek joins to a URL. Never with a user, and a fragment is not sent. */
static enum export_reason put_url(struct isg_buf *out, const struct ioc *ioc)
{
    struct export_url url;
    export_url(ioc, &url);
    bool web = isg_str_is(url.scheme, "http") || isg_str_is(url.scheme, "https");
    if (!web || ioc->credentials || isg_str_find(url.path, '#') != SIZE_MAX)
        return EXPORT_NO_FORM;
    put_field(out, url.host);
    if (url.port.n > 0)
        isg_buf_printf(out, ":%.*s", ISG_STR_ARG(url.port));
    if (!isg_str_starts(url.path, ISG_STR("/")))
        isg_buf_putc(out, '/');
    if (url.path.n > 0)
        put_field(out, url.path);
    return EXPORT_KEPT;
}

static void zeek_begin(struct export *run)
{
    isg_buf_puts(&run->text, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n");
}

static void put_meta(struct export *run, const struct export_indicator *of)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    export_put_plain(&text, isg_str_of(run->options.source), TEXT_MAX);
    put_field(&run->text, isg_buf_str(&text));
    isg_buf_reset(&text);
    export_put_plain(&text, of->id, TEXT_MAX);
    isg_buf_puts(&text, " TLP:");
    export_put_level(&text, of->tlp);
    isg_buf_putc(&text, ' ');
    export_put_plain(&text, of->name, TEXT_MAX);
    isg_buf_putc(&run->text, '\t');
    put_field(&run->text, isg_str_trim(isg_buf_str(&text)));
    if (text.err != ISG_OK)
        run->err = text.err;
    isg_buf_done(&text);
}

static enum export_reason zeek_row(struct export *run, const struct export_row *row)
{
    const char *type = type_of(row->ioc->kind);
    struct isg_buf *out = &run->text;
    if (type == NULL)
        return EXPORT_NO_FORM;
    if (row->ioc->kind == IOC_URL) {
        enum export_reason reason = put_url(out, row->ioc);
        if (reason != EXPORT_KEPT)
            return reason;
    } else {
        put_field(out, row->ioc->value);
    }
    isg_buf_printf(out, "\t%s\t", type);
    put_meta(run, row->of);
    isg_buf_putc(out, '\n');
    return EXPORT_KEPT;
}

const struct export_format export_zeek = {.name = "zeek", .begin = zeek_begin, .row = zeek_row};
