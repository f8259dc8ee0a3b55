#include "gateway/trust/bundle_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/trust/objects_list.h"
#include "gateway/trust/private_file.h"
#include "gateway/trust/secret.h"
#include "stix/base/jsonw.h"
#include "stix/json.h"

enum { PATH_BYTES = PATH_MAX + 64, COMPANION_MAX = 4 * 1024 * 1024, NONCE_BYTES = 4 };

/* The companions, in the order in which they get their names. */
enum companion { OBJECTS, MINISIG, JWS, COMPANIONS };
static const char *const suffixes[COMPANIONS] = {".objects", ".minisig", ".jws"};

/* An export being written. */
struct signing {
    struct trust_key *key;
    const struct trust_bundle_facts *facts;
    const char *bundle; /* temporary name */
    const char *path;
    char temporary[COMPANIONS][PATH_BYTES];
    size_t objects;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int trust_objects_list(const char *bundle_path, const char *objects_path, size_t *out_count,
                       struct isg_fail *why)
{
    struct isg_buf text;
    struct bundle_digests digests;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = bundle_read(bundle_path, UINT64_MAX, &text, &digests, why);
    if (err == ISG_OK)
        err = bundle_file_write(objects_path, isg_buf_str(&text), why);
    if (err == ISG_OK)
        *out_count = digests.objects;
    isg_buf_done(&text);
    return err;
}

static void put_subject(struct isg_jsonw *w, const struct trust_subject *subject)
{
    char hex[2 * ISG_SHA256_BYTES + 1];
    isg_hex_encode(subject->sha256, sizeof subject->sha256, hex);
    isg_jsonw_object(w);
    isg_jsonw_put_int(w, "bytes", (int64_t)subject->bytes);
    isg_jsonw_put(w, "name", subject->name);
    isg_jsonw_put(w, "sha256", hex);
    isg_jsonw_end(w);
}

/* Members are written in the order that RFC 8785 wants. */
int trust_bundle_payload(const struct trust_bundle_facts *facts, size_t objects,
                         const struct trust_subject subjects[2], struct isg_buf *out,
                         struct isg_fail *why)
{
    struct isg_jsonw w;
    isg_jsonw_init(&w, out);
    isg_jsonw_object(&w);
    isg_jsonw_put(&w, "collection", facts->collection);
    isg_jsonw_put_int(&w, "epoch", facts->epoch);
    isg_jsonw_put_int(&w, "exp", facts->iat_s + TRUST_BUNDLE_EXP_S);
    isg_jsonw_put_int(&w, "iat", facts->iat_s);
    isg_jsonw_put(&w, "iss", facts->iss);
    isg_jsonw_put_int(&w, "objects", (int64_t)objects);
    isg_jsonw_put_int(&w, "seq", facts->seq);
    isg_jsonw_name(&w, "subject");
    isg_jsonw_list(&w);
    put_subject(&w, &subjects[0]);
    put_subject(&w, &subjects[1]);
    isg_jsonw_end(&w);
    isg_jsonw_put(&w, "tlp", facts->tlp);
    isg_jsonw_put(&w, "type", "bundle");
    isg_jsonw_end(&w);
    return out->err == ISG_OK ? ISG_OK : isg_fail(why, out->err, "no room for the statement");
}

static int write_jws(const struct signing *s, const struct bundle_digests *digests,
                     struct isg_str list, struct isg_fail *why)
{
    char objects_name[PATH_BYTES];
    struct trust_subject subjects[2] = {{.name = base_name(s->path), .bytes = digests->bytes},
                                        {.name = objects_name, .bytes = list.n}};
    struct isg_buf payload;
    struct isg_buf jws;
    (void)snprintf(objects_name, sizeof objects_name, "%s%s", base_name(s->path),
                   suffixes[OBJECTS]);
    memcpy(subjects[0].sha256, digests->sha256, ISG_SHA256_BYTES);
    isg_sha256(list, subjects[1].sha256);
    isg_buf_init(&payload, COMPANION_MAX);
    isg_buf_init(&jws, COMPANION_MAX);
    int err = trust_bundle_payload(s->facts, digests->objects, subjects, &payload, why);
    if (err == ISG_OK)
        err = trust_statement_sign(s->key, "bundle", isg_buf_str(&payload), &jws, why);
    isg_buf_putc(&jws, '\n');
    if (err == ISG_OK)
        err = bundle_file_write(s->temporary[JWS], isg_buf_str(&jws), why);
    isg_buf_done(&payload);
    isg_buf_done(&jws);
    return err;
}

static int write_minisig(const struct signing *s, const struct bundle_digests *digests,
                         struct isg_fail *why)
{
    struct isg_buf text;
    char comment[PATH_BYTES];
    isg_buf_init(&text, COMPANION_MAX);
    (void)snprintf(comment, sizeof comment, "timestamp:%lld\tfile:%s\thashed\tseq:%lld",
                   (long long)s->facts->iat_s, base_name(s->path), (long long)s->facts->seq);
    int err = trust_minisig_write(s->key, digests->prehash, comment, &text, why);
    if (err == ISG_OK)
        err = bundle_file_write(s->temporary[MINISIG], isg_buf_str(&text), why);
    isg_buf_done(&text);
    return err;
}

static int write_companions(struct signing *s, struct isg_fail *why)
{
    struct isg_buf list;
    struct bundle_digests digests;
    isg_buf_init(&list, ISG_BUF_NO_MAX);
    int err = bundle_read(s->bundle, UINT64_MAX, &list, &digests, why);
    if (err == ISG_OK)
        err = bundle_file_write(s->temporary[OBJECTS], isg_buf_str(&list), why);
    if (err == ISG_OK)
        err = write_minisig(s, &digests, why);
    if (err == ISG_OK)
        err = write_jws(s, &digests, isg_buf_str(&list), why);
    s->objects = digests.objects;
    isg_buf_done(&list);
    return err;
}

static int rename_file(const char *from, const char *to, struct isg_fail *why)
{
    if (rename(from, to) != 0)
        return isg_fail(why, ISG_EIO, "%s: %s", to, ISG_OS_ERROR(errno));
    return ISG_OK;
}

static int sync_file(const char *path, struct isg_fail *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int err = fd >= 0 && fsync(fd) == 0
                  ? ISG_OK
                  : isg_fail(why, ISG_EIO, "%s: %s", path, ISG_OS_ERROR(errno));
    if (fd >= 0)
        close(fd);
    return err;
}

static int sync_folder(const char *path, struct isg_fail *why)
{
    int err = private_file_sync_folder(path);
    return err == ISG_OK ? err : isg_fail(why, err, "%s: the folder cannot be synced", path);
}

/* An old statement beside new files would look like an attack: it goes first, ours comes last. */
static int give_names(const struct signing *s, struct isg_fail *why)
{
    char final[PATH_BYTES];
    (void)snprintf(final, sizeof final, "%s%s", s->path, suffixes[JWS]);
    if (unlink(final) != 0 && errno != ENOENT)
        return isg_fail(why, ISG_EIO, "%s: %s", final, ISG_OS_ERROR(errno));
    int err = sync_folder(s->path, why);
    if (err == ISG_OK)
        err = rename_file(s->bundle, s->path, why);
    for (int i = 0; err == ISG_OK && i < COMPANIONS; i++) {
        if (i == JWS)
            err = sync_folder(s->path, why);
        (void)snprintf(final, sizeof final, "%s%s", s->path, suffixes[i]);
        if (err == ISG_OK)
            err = rename_file(s->temporary[i], final, why);
    }
    return err == ISG_OK ? sync_folder(s->path, why) : err;
}

int trust_bundle_sign(struct trust_key *key, const struct trust_bundle_facts *facts,
                      const char *temporary_path, const char *path, size_t *out_objects,
                      struct isg_fail *why)
{
    struct signing s = {.key = key, .facts = facts, .bundle = temporary_path, .path = path};
    uint8_t nonce[NONCE_BYTES];
    char hex[2 * NONCE_BYTES + 1];
    if (strlen(path) >= PATH_MAX || strpbrk(base_name(path), "\r\n\t") != NULL)
        return isg_fail(why, ISG_EIO, "a file name that cannot be signed");
    trust_random(nonce, sizeof nonce);
    isg_hex_encode(nonce, sizeof nonce, hex);
    for (int i = 0; i < COMPANIONS; i++)
        (void)snprintf(s.temporary[i], PATH_BYTES, "%s%s.%s.tmp", path, suffixes[i], hex);
    int err = write_companions(&s, why);
    if (err == ISG_OK)
        err = sync_file(temporary_path, why);
    if (err == ISG_OK)
        err = give_names(&s, why);
    for (int i = 0; err != ISG_OK && i < COMPANIONS; i++)
        (void)unlink(s.temporary[i]);
    if (err == ISG_OK && out_objects != NULL)
        *out_objects = s.objects;
    return err;
}

void trust_verify_report_init(struct trust_verify_report *report)
{
    memset(report, 0, sizeof *report);
    isg_buf_init(&report->payload, COMPANION_MAX);
}

void trust_verify_report_done(struct trust_verify_report *report)
{
    isg_buf_done(&report->payload);
}

/* An export being checked. */
struct checking {
    char path[PATH_BYTES]; /* of the bundle */
    struct trust_ring ring;
    struct trust_verify_report *report;
    struct isg_fail *why;
    struct isg_buf list; /* the .objects file */
    struct bundle_digests digests;
};

static void refuse(struct checking *c, enum trust_code code, const char *text)
{
    c->report->code = code;
    isg_fail_at(c->why, ISG_ESIGN, NULL, trust_code_name(code), "%s", text);
}

static int read_companion(struct checking *c, enum companion which, size_t max, struct isg_buf *out)
{
    char path[PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s%s", c->path, suffixes[which]);
    return bundle_file_read(path, max, out, c->why);
}

/* Which of the keys it was, for people: found again by kid, after the verification. */
static void note_kid(struct checking *c, struct isg_str jws, const char *type)
{
    struct isg_fail ignored;
    for (size_t i = 0; i < c->ring.keys_count; i++) {
        const struct trust_ring one = {&c->ring.keys[i], 1, c->ring.now_s};
        if (trust_statement_verify(jws, type, &one, NULL, &ignored) == TRUST_OK)
            memcpy(c->report->kid, one.keys->kid, sizeof c->report->kid);
    }
}

/* The text of a .jws file; one newline at its end is allowed. */
static void judge_jws(struct checking *c, struct isg_str jws, const char *type)
{
    if (jws.n > 0 && jws.p[jws.n - 1] == '\n')
        jws.n--;
    c->report->code = trust_statement_verify(jws, type, &c->ring, &c->report->payload, c->why);
    if (c->report->code == TRUST_OK)
        note_kid(c, jws, type);
}

static int check_jws(struct checking *c)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = read_companion(c, JWS, COMPANION_MAX, &text);
    if (err == ISG_OK)
        judge_jws(c, isg_buf_str(&text), "bundle");
    isg_buf_done(&text);
    return err;
}

static bool is_subject(const struct stix_json *subject, const char *name, uint64_t bytes,
                       const uint8_t sha256[ISG_SHA256_BYTES])
{
    char hex[2 * ISG_SHA256_BYTES + 1];
    int64_t size = -1;
    isg_hex_encode(sha256, ISG_SHA256_BYTES, hex);
    return stix_json_size(subject) == 3 && isg_str_is(stix_json_get_str(subject, "name"), name) &&
           stix_json_int(stix_json_get(subject, "bytes"), &size) && size >= 0 &&
           (uint64_t)size == bytes && isg_str_is(stix_json_get_str(subject, "sha256"), hex);
}

static void judge_subjects(struct checking *c, const struct stix_json *statement)
{
    const struct stix_json *subject = stix_json_get(statement, "subject");
    const char *name = base_name(c->path);
    char list_name[PATH_BYTES + 16];
    uint8_t list_sha256[ISG_SHA256_BYTES];
    int64_t objects = -1;
    (void)snprintf(list_name, sizeof list_name, "%s%s", name, suffixes[OBJECTS]);
    isg_sha256(isg_buf_str(&c->list), list_sha256);
    if (!is_subject(stix_json_at(subject, 0), name, c->digests.bytes, c->digests.sha256))
        refuse(c, TRUST_E_HASH, "the bundle is not the file that was signed");
    else if (!is_subject(stix_json_at(subject, 1), list_name, c->list.len, list_sha256))
        refuse(c, TRUST_E_HASH, "the .objects file is not the one that was signed");
    else if (!stix_json_int(stix_json_get(statement, "objects"), &objects) || objects < 0 ||
             (uint64_t)objects != c->digests.objects)
        refuse(c, TRUST_E_HASH, "the statement counts other objects than the bundle holds");
}

/*
 * The list must be what the bundle gives, not merely what somebody signed. The order of its lines
 * is ours when we write; the text leaves room for others' (by line or by id).
 */
static int judge_list(struct checking *c, struct isg_str own)
{
    struct isg_buf sorted;
    isg_buf_init(&sorted, c->list.len + 1);
    int err = bundle_list_sort(isg_buf_str(&c->list), c->digests.objects, &sorted);
    if (err == ISG_ELIMIT || (err == ISG_OK && !isg_str_eq(isg_buf_str(&sorted), own))) {
        refuse(c, TRUST_E_HASH, "the .objects file does not list the bundle's objects");
        err = ISG_OK;
    }
    isg_buf_done(&sorted);
    return err == ISG_OK ? ISG_OK : isg_fail(c->why, err, "no memory");
}

/* The size that was signed of the bundle (0) or its list (1); 0 where the statement names none. */
static uint64_t signed_bytes(const struct stix_json *statement, size_t which)
{
    const struct stix_json *subject = stix_json_at(stix_json_get(statement, "subject"), which);
    int64_t bytes = 0;
    (void)stix_json_int(stix_json_get(subject, "bytes"), &bytes);
    return bytes > 0 ? (uint64_t)bytes : 0;
}

/* Files of anyone's making: no more of them is read than was signed. */
static int judge_files(struct checking *c, const struct stix_json *statement)
{
    struct isg_buf own;
    isg_buf_init(&own, ISG_BUF_NO_MAX);
    int err = read_companion(c, OBJECTS, signed_bytes(statement, 1), &c->list);
    if (err == ISG_ELIMIT) {
        refuse(c, TRUST_E_HASH, "the .objects file is not the one that was signed");
        return ISG_OK;
    }
    if (err == ISG_OK)
        err = bundle_read(c->path, signed_bytes(statement, 0), &own, &c->digests, c->why);
    if (err == ISG_EPARSE || err == ISG_ELIMIT || err == ISG_EINVAL) {
        refuse(c, TRUST_E_HASH, "the bundle is not the file that was signed");
        err = ISG_OK;
    } else if (err == ISG_OK) {
        judge_subjects(c, statement);
    }
    if (err == ISG_OK && c->report->code == TRUST_OK)
        err = judge_list(c, isg_buf_str(&own));
    c->report->objects = c->digests.objects;
    isg_buf_done(&own);
    return err;
}

static int check_files(struct checking *c)
{
    struct stix_json *statement = NULL;
    int err = stix_json_parse(isg_buf_str(&c->report->payload), NULL, &statement, c->why);
    if (err == ISG_OK && stix_json_size(stix_json_get(statement, "subject")) != 2)
        refuse(c, TRUST_E_FORMAT, "the statement does not name two files");
    else if (err == ISG_OK)
        err = judge_files(c, statement);
    stix_json_free(&statement);
    return err;
}

static int check_minisig(struct checking *c)
{
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = read_companion(c, MINISIG, COMPANION_MAX, &text);
    if (err == ISG_OK) {
        c->report->code = trust_minisig_verify(isg_buf_str(&text), c->digests.prehash, c->ring.keys,
                                               c->ring.keys_count, c->why);
        c->report->minisig = c->report->code == TRUST_OK;
    }
    isg_buf_done(&text);
    return err == ISG_ENOENT ? ISG_OK : err;
}

/* A file too long for what it should be is judged; one that is not there cannot be. */
static int settle(struct checking *c, int err)
{
    if (err == ISG_ELIMIT) {
        refuse(c, TRUST_E_FORMAT, "the file is far too long to be what it should be");
        return ISG_OK;
    }
    return err == ISG_ENOENT ? ISG_EIO : err;
}

static void cut_suffix(char *path)
{
    for (int i = 0; i < COMPANIONS; i++) {
        size_t n = strlen(path);
        size_t suffix = strlen(suffixes[i]);
        if (n > suffix && strcmp(path + n - suffix, suffixes[i]) == 0) {
            path[n - suffix] = '\0';
            return;
        }
    }
}

int trust_bundle_verify(const char *path, const struct trust_public *keys, size_t keys_count,
                        int64_t now_s, struct trust_verify_report *report, struct isg_fail *why)
{
    struct checking c = {.ring = {keys, keys_count, now_s}, .report = report, .why = why};
    if (strlen(path) >= PATH_MAX)
        return isg_fail(why, ISG_EIO, "the path is too long");
    (void)snprintf(c.path, sizeof c.path, "%s", path);
    cut_suffix(c.path);
    isg_buf_init(&c.list, ISG_BUF_NO_MAX);
    int err = check_jws(&c);
    if (err == ISG_OK && report->code == TRUST_OK)
        err = check_files(&c);
    if (err == ISG_OK && report->code == TRUST_OK)
        err = check_minisig(&c);
    isg_buf_done(&c.list);
    return settle(&c, err);
}

int trust_statement_file_verify(const char *path, const char *type, const struct trust_ring *ring,
                                struct trust_verify_report *report, struct isg_fail *why)
{
    struct checking c = {.ring = *ring, .report = report, .why = why};
    struct isg_buf text;
    isg_buf_init(&text, ISG_BUF_NO_MAX);
    int err = bundle_file_read(path, COMPANION_MAX, &text, why);
    if (err == ISG_OK)
        judge_jws(&c, isg_buf_str(&text), type);
    isg_buf_done(&text);
    return settle(&c, err);
}

int trust_minisig_file_verify(const char *path, const struct trust_public *keys, size_t keys_count,
                              struct trust_verify_report *report, struct isg_fail *why)
{
    struct checking c = {.ring = {keys, keys_count, 0}, .report = report, .why = why};
    struct isg_fail unread = {0};
    if (strlen(path) >= PATH_MAX)
        return isg_fail(why, ISG_EIO, "the path is too long");
    (void)snprintf(c.path, sizeof c.path, "%s", path);
    cut_suffix(c.path);
    isg_buf_init(&c.list, ISG_BUF_NO_MAX);
    /* The form is judged before the file: a legacy signature is refused whatever it stands for. */
    int bundle_err = bundle_read(c.path, UINT64_MAX, &c.list, &c.digests, &unread);
    isg_buf_done(&c.list);
    int err = check_minisig(&c);
    bool by_form = report->code == TRUST_E_LEGACY || report->code == TRUST_E_FORMAT;
    if (err != ISG_OK || bundle_err == ISG_OK || by_form)
        return settle(&c, err);
    *why = unread;
    return settle(&c, bundle_err);
}
