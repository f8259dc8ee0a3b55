#define ZLIB_CONST
#include <limits.h>
#include <zlib.h>

#include "feeds/document.h"

enum {
    GZIP_WINDOW = 15 + 16, /* zlib's way to ask for the gzip format */
    STEP = 256 << 10,
    BYTES_MAX = 256 << 20,
    RATIO_MAX = 100,
    RATIO_FROM = 1 << 20 /* below this size a ratio says nothing */
};

/* Unpack one piece into out; *out_code is zlib's word. */
static int step(z_stream *z, struct isg_buf *out, int *out_code)
{
    char *p = isg_buf_reserve(out, STEP);
    if (p == NULL)
        return out->err;
    z->next_out = (unsigned char *)p;
    z->avail_out = STEP;
    *out_code = inflate(z, Z_NO_FLUSH);
    out->len += STEP - z->avail_out;
    return ISG_OK;
}

static int too_large(struct isg_fail *why)
{
    return isg_fail_at(why, ISG_ELIMIT, NULL, "R-084", "the file unpacks beyond all measure");
}

/* All members of the file, one behind the other. */
static int members(z_stream *z, struct isg_buf *out, size_t most, struct isg_fail *why)
{
    int code = Z_OK;
    while (z->avail_in > 0 || code == Z_OK) {
        int err = step(z, out, &code);
        if (err == ISG_ELIMIT || out->len > most)
            return too_large(why);
        if (err != ISG_OK || code == Z_MEM_ERROR)
            return isg_fail(why, ISG_ENOMEM, "no memory");
        if (code == Z_STREAM_END && z->avail_in > 0)
            code = inflateReset(z);
        if (code != Z_OK && code != Z_STREAM_END)
            return isg_fail(why, ISG_EPARSE, "the gzip file is damaged or cut short");
    }
    return ISG_OK;
}

int document_unpack(struct isg_buf *text, size_t max_bytes, unsigned max_ratio,
                    struct isg_fail *why)
{
    static const char magic[] = "\x1f\x8b";
    struct isg_str in = isg_buf_str(text);
    size_t ratio = max_ratio != 0 ? max_ratio : RATIO_MAX;
    size_t bytes = max_bytes != 0 ? max_bytes : BYTES_MAX;
    struct isg_buf out;
    if (!isg_str_starts(in, ISG_STR(magic)))
        return ISG_OK;
    if (in.n > UINT_MAX)
        return too_large(why);
    z_stream z = {.next_in = (const unsigned char *)in.p, .avail_in = (uInt)in.n};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return isg_fail(why, ISG_ENOMEM, "no memory");
    size_t most = in.n > SIZE_MAX / ratio ? bytes : in.n * ratio;
    most = most < RATIO_FROM ? RATIO_FROM : most;
    isg_buf_init(&out, bytes + STEP);
    int err = members(&z, &out, most < bytes ? most : bytes, why);
    (void)inflateEnd(&z);
    if (err == ISG_OK) {
        out.p[out.len] = '\0';
        isg_buf_done(text);
        *text = out;
    } else {
        isg_buf_done(&out);
    }
    return err;
}
