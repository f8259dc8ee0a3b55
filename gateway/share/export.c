/* From an indicator to rows of plain values, or to a count of why not. */
#include "gateway/share/export.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/share/export_write.h"
#include "gateway/share/indicator_value.h"
#include "stix/base/time.h"
#include "stix/pattern.h"

enum { ARENA_MAX = 64 << 20 };

static const struct export_format *const formats[] = {
    &export_csv, &export_list, &export_suricata, &export_zeek,
    &export_rpz, &export_misp, &export_ecs,
};

static const char *const reason_names[EXPORT_REASONS] = {
    [EXPORT_KEPT] = "kept",
    [EXPORT_REVOKED] = "revoked",
    [EXPORT_EXPIRED] = "expired",
    [EXPORT_EARLY] = "not-yet-valid",
    [EXPORT_BENIGN] = "benign",
    [EXPORT_WARNED] = "warned",
    [EXPORT_UNWANTED] = "do-not-block",
    [EXPORT_LANGUAGE] = "pattern-type",
    [EXPORT_UNREADABLE] = "unreadable",
    [EXPORT_NEGATION] = "negation",
    [EXPORT_COMBINATION] = "combination",
    [EXPORT_SEQUENCE] = "sequence",
    [EXPORT_WINDOW] = "window",
    [EXPORT_OPERATOR] = "operator",
    [EXPORT_PROPERTY] = "property",
    [EXPORT_VALUE] = "value",
    [EXPORT_UNSAFE] = "unsafe",
    [EXPORT_EXCLUDED] = "excluded",
    [EXPORT_DUPLICATE] = "duplicate",
    [EXPORT_NO_FORM] = "no-form",
    [EXPORT_TOO_LONG] = "too-long",
    [EXPORT_OTHER_TYPE] = "other-type",
};

const char *export_reason_name(enum export_reason reason)
{
    return reason_names[reason];
}

const struct export_format *export_format_at(unsigned i)
{
    return i < sizeof formats / sizeof formats[0] ? formats[i] : NULL;
}

const struct export_format *export_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    return NULL;
}

const char *export_format_name(const struct export_format *format)
{
    return format->name;
}

bool export_format_is_folder(const struct export_format *format)
{
    return format->folder;
}

/* ---- a run ---- */

struct export *export_new(const struct export_options *options)
{
    struct export *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->options = *options;
    run->files_end = &run->files;
    isg_buf_init(&run->text, ISG_BUF_NO_MAX);
    run->arena = isg_arena_new(ARENA_MAX);
    /* What is set aside for documentation and tests is nobody's: an exercise may use it. */
    run->built_in = exclude_new(true);
    if (run->arena == NULL || run->built_in == NULL) {
        export_free(&run);
        return NULL;
    }
    if (options->exclude == NULL)
        run->options.exclude = run->built_in;
    if (options->format->begin != NULL)
        options->format->begin(run);
    return run;
}

void export_free(struct export **run)
{
    struct export *r = *run;
    if (r == NULL)
        return;
    if (r->options.format->free != NULL)
        r->options.format->free(r);
    while (r->files != NULL) {
        struct export_file *file = r->files;
        r->files = file->next;
        isg_buf_done(&file->text);
        free(file);
    }
    export_seen_free(r);
    exclude_free(&r->built_in);
    isg_arena_free(&r->arena);
    isg_buf_done(&r->text);
    free(r);
    *run = NULL;
}

struct isg_buf *export_text(struct export *run)
{
    return &run->text;
}

const struct export_file *export_files(const struct export *run)
{
    return run->files;
}

const struct export_counts *export_counts(const struct export *run)
{
    return &run->counts;
}

/* ---- rows ---- */

static enum export_reason check_excluded(struct export *run, const struct ioc *ioc)
{
    struct exclude_verdict verdict = exclude_check(run->options.exclude, ioc);
    exclude_count(&run->counts.excluded, &verdict, ioc);
    return verdict.answer == EXCLUDE_PASS ? EXPORT_KEPT : EXPORT_EXCLUDED;
}

/* A value is one row of an indicator, however often its pattern says it. */
static bool is_first_of(struct export *run, const struct export_indicator *indicator,
                        const struct ioc *ioc)
{
    struct isg_buf key;
    isg_buf_init(&key, ISG_BUF_NO_MAX);
    isg_buf_put_str(&key, indicator->id);
    isg_buf_printf(&key, "|%s|", ioc_kind_name(ioc->kind));
    export_put_value(&key, ioc);
    if (key.err != ISG_OK)
        run->err = key.err;
    bool first = key.err == ISG_OK && export_is_new(run, isg_buf_str(&key));
    isg_buf_done(&key);
    return first;
}

static enum export_reason write_arm(struct export *run, const struct export_indicator *indicator,
                                    const struct stix_pattern_arm *arm)
{
    struct ioc ioc = {0};
    enum export_reason reason = indicator_value(run->arena, arm, &ioc);
    if (reason == EXPORT_KEPT)
        reason = check_excluded(run, &ioc);
    if (reason == EXPORT_KEPT && !is_first_of(run, indicator, &ioc))
        reason = EXPORT_DUPLICATE;
    if (reason == EXPORT_KEPT)
        reason = run->options.format->row(run, &(struct export_row){indicator, &ioc});
    return reason;
}

static void write_arms(struct export *run, const struct export_indicator *indicator)
{
    struct stix_pattern_arm *arms = NULL;
    struct isg_str pattern = stix_json_get_str(indicator->json, "pattern");
    if (stix_pattern_arms(pattern, STIX_PATTERN_2_1, run->arena, &arms, NULL) != ISG_OK) {
        run->counts.left_out[EXPORT_UNREADABLE]++;
        return;
    }
    for (; arms != NULL && run->err == ISG_OK; arms = arms->next) {
        enum export_reason reason = write_arm(run, indicator, arms);
        if (reason == EXPORT_KEPT)
            run->counts.rows++;
        else
            run->counts.left_out[reason]++;
    }
}

/* ---- indicators ---- */

static bool time_of(struct isg_str text, int64_t *out)
{
    return text.n > 0 && isg_time_parse(text, out);
}

/* Any text of a list that is, or begins with, the word? */
static bool list_has(const struct stix_json *list, const char *word, bool begins)
{
    for (size_t i = 0; i < stix_json_size(list); i++) {
        struct isg_str text = stix_json_str(stix_json_at(list, i));
        if (begins ? isg_str_starts(text, isg_str_of(word)) : isg_str_is(text, word))
            return true;
    }
    return false;
}

/* Without a marking an indicator is AMBER; one that is no TLP counts as RED (S-071). */
static enum stix_tlp level_of(const struct stix_json *json, enum stix_tlp level)
{
    if (level == STIX_TLP_NONE)
        level = stix_tlp_strictest(json);
    if (level == STIX_TLP_NONE)
        return STIX_TLP_AMBER;
    return level == STIX_TLP_UNKNOWN ? STIX_TLP_RED : level;
}

static void read_indicator(const struct stix_json *json, enum stix_tlp level,
                           struct export_indicator *out)
{
    *out = (struct export_indicator){
        .json = json,
        .id = stix_json_get_str(json, "id"),
        .name = stix_json_get_str(json, "name"),
        .description = stix_json_get_str(json, "description"),
        .valid_from = stix_json_get_str(json, "valid_from"),
        .valid_until = stix_json_get_str(json, "valid_until"),
        .created = stix_json_get_str(json, "created"),
        .modified = stix_json_get_str(json, "modified"),
        .confidence = -1,
        .tlp = level_of(json, level),
    };
    (void)time_of(out->created, &out->created_us);
    (void)time_of(out->modified, &out->modified_us);
    (void)stix_json_int(stix_json_get(json, "confidence"), &out->confidence);
}

/* In force, meant to be looked for, and in a language that is read here? */
static enum export_reason check_indicator(struct export *run,
                                          const struct export_indicator *indicator)
{
    const struct stix_json *json = indicator->json;
    int64_t us;
    if (stix_json_bool(stix_json_get(json, "revoked"))) {
        if (run->options.format->ended != NULL)
            run->options.format->ended(run, indicator, indicator->modified_us);
        return EXPORT_REVOKED;
    }
    if (time_of(indicator->valid_until, &us) && us <= run->options.now_us) {
        if (run->options.format->ended != NULL)
            run->options.format->ended(run, indicator, us);
        return EXPORT_EXPIRED;
    }
    if (time_of(indicator->valid_from, &us) && us > run->options.now_us)
        return EXPORT_EARLY;
    if (list_has(stix_json_get(json, "indicator_types"), "benign", false))
        return EXPORT_BENIGN;
    if (list_has(stix_json_get(json, "labels"), "warning:", true))
        return EXPORT_WARNED;
    if (list_has(stix_json_get(json, "labels"), "do-not-block", false))
        return EXPORT_UNWANTED;
    return isg_str_is(stix_json_get_str(json, "pattern_type"), "stix") ? EXPORT_KEPT
                                                                       : EXPORT_LANGUAGE;
}

static void add_indicator(struct export *run, const struct stix_json *json, enum stix_tlp level)
{
    struct export_indicator indicator;
    read_indicator(json, level, &indicator);
    run->counts.indicators++;
    enum export_reason reason = check_indicator(run, &indicator);
    if (reason == EXPORT_KEPT)
        write_arms(run, &indicator);
    else
        run->counts.left_out[reason]++;
}

static int run_error(const struct export *run, struct isg_fail *why)
{
    int err = run->err != ISG_OK ? run->err : run->text.err;
    for (const struct export_file *f = run->files; f != NULL && err == ISG_OK; f = f->next)
        err = f->text.err;
    return err == ISG_OK ? ISG_OK : isg_fail(why, err, "no memory for the export");
}

int export_add(struct export *run, struct isg_str object, enum stix_tlp level, struct isg_fail *why)
{
    struct stix_json *json = NULL;
    int err = stix_json_parse(object, NULL, &json, NULL);
    if (err == ISG_ENOMEM)
        return isg_fail(why, err, "no memory for an object");
    if (err != ISG_OK)
        run->counts.left_out[EXPORT_UNREADABLE]++;
    else if (isg_str_is(stix_json_get_str(json, "type"), "indicator"))
        add_indicator(run, json, level);
    stix_json_free(&json);
    isg_arena_reset(run->arena);
    return run_error(run, why);
}

int export_finish(struct export *run, struct isg_fail *why)
{
    if (run->options.format->end != NULL && run->err == ISG_OK)
        run->options.format->end(run);
    return run_error(run, why);
}
