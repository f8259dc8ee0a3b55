#include "stix/bundle.h"

#include "stix/base/jsonw.h"
#include "stix/base/uuid.h"

void stix_bundle_begin(struct stix_bundle_writer *w, struct isg_buf *out, const char *id)
{
    char uuid[ISG_UUID_TEXT];
    *w = (struct stix_bundle_writer){.out = out};
    isg_buf_puts(out, "{\"type\":\"bundle\",\"id\":\"");
    if (id != NULL) {
        isg_json_escape(out, isg_str_of(id));
    } else {
        isg_uuid_random(uuid);
        isg_buf_printf(out, "bundle--%s", uuid);
    }
    isg_buf_putc(out, '"');
}

void stix_bundle_add(struct stix_bundle_writer *w, struct isg_str object)
{
    isg_buf_puts(w->out, w->any ? "," : ",\"objects\":[");
    isg_buf_put_str(w->out, object);
    w->any = true;
}

void stix_bundle_end(struct stix_bundle_writer *w)
{
    isg_buf_puts(w->out, w->any ? "]}" : "}");
}
