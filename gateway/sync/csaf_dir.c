#include "gateway/sync/csaf_dir.h"

#include <stdio.h>
#include <string.h>

#include "stix/base/digest.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum {
    URL_MAX = 8192,
    FILES_MAX = 100000, /* lines of a list */
    FETCHED_MAX = 5000  /* documents of one run; the rest follows with the next */
};

/* What the walk over a list shares. */
struct walk {
    struct feed_run *run;
    struct isg_buf list_url;
    const struct stix_json *known; /* path: {"t","h"} of the last run */
    struct isg_jsonw w;            /* of run->files */
    size_t fetched;
    bool cut_short;
};

bool csaf_dir_is(const struct feed_def *def)
{
    struct isg_str url = isg_str_of(def->url);
    return strcmp(def->format, "csaf") == 0 &&
           (isg_str_ends(url, ISG_STR("/")) || isg_str_ends(url, ISG_STR("/index.txt")) ||
            isg_str_ends(url, ISG_STR("/changes.csv")));
}

/* ---- one line of a list --------------------------------------------------------------------- */

/* `path,timestamp`, quoted or not; or a path alone. */
static void line_read(struct isg_str line, struct isg_str *path, struct isg_str *time)
{
    struct isg_str rest = isg_str_trim(line);
    struct isg_str *out[] = {path, time};
    *path = *time = (struct isg_str){0};
    for (size_t i = 0; i < 2; i++) {
        struct isg_str cell;
        if (!isg_str_split(&rest, ',', &cell))
            return;
        cell = isg_str_trim(cell);
        if (cell.n >= 2 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
            cell = (struct isg_str){cell.p + 1, cell.n - 2};
        *out[i] = cell;
    }
}

static bool contains(struct isg_str text, const char *piece)
{
    struct isg_str p = isg_str_of(piece);
    for (size_t i = 0; i + p.n <= text.n; i++) {
        if (memcmp(text.p + i, p.p, p.n) == 0)
            return true;
    }
    return false;
}

/* A path inside a list is hostile input (digest 2.2): relative, no way up, a JSON file. */
static bool path_fits(struct isg_str path)
{
    if (path.n < 6 || path.n > 1024 || path.p[0] == '/' || !isg_str_ends(path, ISG_STR(".json")))
        return false;
    for (size_t i = 0; i < path.n; i++) {
        if ((unsigned char)path.p[i] <= 0x20 || strchr("\\?#:%", path.p[i]) != NULL)
            return false;
    }
    return !contains(path, "..") && !contains(path, "//");
}

/* ---- one document --------------------------------------------------------------------------- */

static void digest_hex(bool long_one, struct isg_str text, char out[2 * ISG_SHA512_BYTES + 1])
{
    uint8_t digest[ISG_SHA512_BYTES];
    if (long_one) {
        struct isg_sha512 hash;
        isg_sha512_init(&hash);
        isg_sha512_add(&hash, text.p, text.n);
        isg_sha512_end(&hash, digest);
    } else {
        isg_sha256(text, digest);
    }
    isg_hex_encode(digest, long_one ? ISG_SHA512_BYTES : ISG_SHA256_BYTES, out);
}

/* Compare with the side file url + suffix; ISG_ENOENT when there is none. */
static int side_file_check(struct feed_run *run, const char *url, bool long_one,
                           struct isg_str text, struct isg_fail *why)
{
    struct isg_buf side;
    struct feed_response response = {0};
    char hex[2 * ISG_SHA512_BYTES + 1];
    isg_buf_init(&side, URL_MAX);
    isg_buf_printf(&side, "%s%s", url, long_one ? ".sha512" : ".sha256");
    int err = side.err != ISG_OK ? side.err : feed_run_get(run, side.p, NULL, NULL, &response, why);
    if (err == ISG_OK) {
        struct isg_str given = isg_str_trim(isg_buf_str(&response.body));
        digest_hex(long_one, text, hex);
        size_t n = strlen(hex);
        if (given.n < n || !isg_str_ieq((struct isg_str){given.p, n}, isg_str_of(hex)))
            err = isg_fail_at(why, ISG_EINVAL, NULL, "E_HASH",
                              "E_HASH: the document is not the one its hash file names");
    }
    feed_response_done(&response);
    isg_buf_done(&side);
    return err;
}

/* SHA-512 first, else SHA-256; a provider without either is taken at its word (TLS). */
static int hash_check(struct feed_run *run, const char *url, struct isg_str text,
                      struct isg_fail *why)
{
    int err = side_file_check(run, url, true, text, why);
    if (err == ISG_ENOENT)
        err = side_file_check(run, url, false, text, why);
    return err == ISG_ENOENT ? ISG_OK : err;
}

static void record_write(struct walk *walk, const char *path, struct isg_str time,
                         struct isg_str hash)
{
    isg_jsonw_name(&walk->w, path);
    isg_jsonw_object(&walk->w);
    isg_jsonw_put_str(&walk->w, "t", time);
    isg_jsonw_put_str(&walk->w, "h", hash);
    isg_jsonw_end(&walk->w);
}

/* Fetch, check, map unless these very bytes were mapped before, and note the document. */
static int document_run(struct walk *walk, const char *path, struct isg_str time,
                        struct isg_str known_hash, struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    struct isg_buf url;
    struct feed_response response = {0};
    char hex[2 * ISG_SHA512_BYTES + 1];
    isg_buf_init(&url, URL_MAX);
    int err = feed_url_join(walk->list_url.p, path, &url, why);
    if (err == ISG_OK && !feed_url_same_server(walk->list_url.p, url.p))
        err = isg_fail(why, ISG_EINVAL, "a path of the list leads to another server");
    if (err == ISG_OK)
        err = feed_run_get(run, url.p, NULL, NULL, &response, why);
    struct isg_str text = isg_buf_str(&response.body);
    if (err == ISG_OK)
        err = hash_check(run, url.p, text, why);
    if (err == ISG_OK) {
        digest_hex(true, text, hex);
        if (isg_str_is(known_hash, hex))
            run->unchanged++;
        else
            err = feed_run_map(run, text, path, why);
    }
    if (err == ISG_OK)
        record_write(walk, path, time, isg_str_of(hex));
    feed_response_done(&response);
    isg_buf_done(&url);
    return err;
}

/* A failure of the whole run, not of one document. */
static bool is_fatal(int err)
{
    return err == ISG_ENOMEM || err == ISG_EIO || err == ISG_ESTORE || err == ISG_EAUTH;
}

static int line_run(struct walk *walk, struct isg_str path, struct isg_str time)
{
    struct feed_run *run = walk->run;
    struct isg_fail own = {.code = ISG_OK};
    char name[1025];
    (void)snprintf(name, sizeof name, "%.*s", ISG_STR_ARG(path));
    const struct stix_json *known = stix_json_get(walk->known, name);
    struct isg_str known_hash = stix_json_get_str(known, "h");
    if (known != NULL && time.n > 0 && isg_str_eq(stix_json_get_str(known, "t"), time)) {
        run->unchanged++;
        record_write(walk, name, time, known_hash);
        return ISG_OK;
    }
    if (walk->fetched++ >= FETCHED_MAX) {
        walk->cut_short = true;
        return ISG_OK;
    }
    int err = document_run(walk, name, time, known_hash, &own);
    if (err == ISG_OK)
        return ISG_OK;
    if (run->failed++ == 0) {
        run->first_failed = own;
        (void)snprintf(run->first_failed.text, sizeof run->first_failed.text, "%.80s: %.150s", name,
                       own.text);
    }
    return is_fatal(err) ? err : ISG_OK;
}

/* ---- the list ------------------------------------------------------------------------------- */

/*
 * The same path may stand in a list twice (each revision adds a line): the first line, the newest
 * by promise, counts.
 */
static int list_run(struct walk *walk, struct isg_str list, struct isg_fail *why)
{
    struct isg_str line;
    struct isg_str path;
    struct isg_str time;
    struct isg_str before = {0};
    size_t lines = 0;
    int err = ISG_OK;
    isg_jsonw_init(&walk->w, &walk->run->files);
    isg_jsonw_object(&walk->w);
    isg_jsonw_put_int(&walk->w, "converter", FEED_CONVERTER_VERSION);
    isg_jsonw_name(&walk->w, "files");
    isg_jsonw_object(&walk->w);
    while (err == ISG_OK && isg_str_split(&list, '\n', &line)) {
        if (++lines > FILES_MAX)
            err = isg_fail(why, ISG_ELIMIT, "the list has too many lines");
        line_read(line, &path, &time);
        if (err == ISG_OK && path_fits(path) && !isg_str_eq(path, before))
            err = line_run(walk, path, time);
        before = path;
    }
    isg_jsonw_end(&walk->w);
    isg_jsonw_end(&walk->w);
    return err == ISG_OK ? walk->run->files.err : err;
}

static int list_get(struct walk *walk, const char *name, struct feed_response *out,
                    struct isg_fail *why)
{
    struct feed_run *run = walk->run;
    bool fresh = run->state.converter == FEED_CONVERTER_VERSION;
    isg_buf_reset(&walk->list_url);
    isg_buf_printf(&walk->list_url, "%s%s", run->def->url, name);
    if (walk->list_url.err != ISG_OK)
        return isg_fail(why, ISG_EINVAL, "the URL is too long");
    return feed_run_get(run, walk->list_url.p, fresh ? run->state.etag : NULL,
                        fresh ? run->state.last_modified : NULL, out, why);
}

static void document_name(const struct feed_run *run, char out[STATE_NAME_MAX])
{
    (void)snprintf(out, STATE_NAME_MAX, "files:%s", run->def->name);
}

/* The table of the last run; none when it was made by another converter or cannot be read. */
static int table_load(struct feed_run *run, struct stix_json **out, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    struct isg_buf text;
    int64_t converter;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    document_name(run, name);
    int err = store_doc_get(run->parts->store, STORE_FEED_STATE, isg_str_of(name), &text, why);
    if (err == ISG_OK && stix_json_parse(isg_buf_str(&text), NULL, out, NULL) == ISG_OK &&
        (!stix_json_int(stix_json_get(*out, "converter"), &converter) ||
         converter != FEED_CONVERTER_VERSION))
        stix_json_free(out);
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err;
}

/* Validators of the list are kept only when all it names was read. */
static void keep_validators(struct walk *walk, const struct feed_response *response)
{
    struct state *state = &walk->run->state;
    bool whole = walk->run->failed == 0 && !walk->cut_short;
    (void)snprintf(state->etag, sizeof state->etag, "%s",
                   whole && response->etag != NULL ? response->etag : "");
    (void)snprintf(state->last_modified, sizeof state->last_modified, "%s",
                   whole && response->last_modified != NULL ? response->last_modified : "");
    state->converter = FEED_CONVERTER_VERSION;
}

static int list_fetch(struct walk *walk, struct feed_response *out, struct isg_fail *why)
{
    if (!isg_str_ends(isg_str_of(walk->run->def->url), ISG_STR("/")))
        return list_get(walk, "", out, why);
    int err = list_get(walk, "changes.csv", out, why);
    return err == ISG_ENOENT ? list_get(walk, "index.txt", out, why) : err;
}

int csaf_dir_run(struct feed_run *run, struct isg_fail *why)
{
    struct walk walk = {.run = run};
    struct feed_response response = {0};
    struct stix_json *table = NULL;
    isg_buf_init(&walk.list_url, URL_MAX);
    int err = table_load(run, &table, why);
    walk.known = stix_json_get(table, "files");
    if (err == ISG_OK)
        err = list_fetch(&walk, &response, why);
    if (err == ISG_OK && response.status == 304)
        run->nothing = true;
    else if (err == ISG_OK)
        err = list_run(&walk, isg_buf_str(&response.body), why);
    if (err == ISG_OK && !run->nothing)
        keep_validators(&walk, &response);
    if (err == ISG_OK && run->failed > 0 && run->documents == 0 && run->unchanged == 0) {
        err = run->first_failed.code;
        if (why != NULL)
            *why = run->first_failed; /* nothing could be read at all */
    }
    feed_response_done(&response);
    stix_json_free(&table);
    isg_buf_done(&walk.list_url);
    return err;
}

int csaf_dir_keep(struct feed_run *run, struct isg_fail *why)
{
    char name[STATE_NAME_MAX];
    if (run->files.len == 0)
        return ISG_OK;
    document_name(run, name);
    return store_doc_put(run->parts->store, STORE_FEED_STATE, isg_str_of(name),
                         isg_buf_str(&run->files), why);
}
