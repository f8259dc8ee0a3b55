/* One call of the matcher: budget, memory, and the order of its parts. */
#include "stix/match.h"

#include "stix/match_private.h"

/* About a second of work on a small machine, and what memory that can use (S-129). */
enum { WORK_MAX = 60 * 1000 * 1000, ARENA_MAX = 512 * 1024 * 1024 };

bool stix_matching_fail(struct stix_matching *m, int code, const char *rule, const char *text)
{
    if (m->err == ISG_OK)
        m->err = isg_fail_at(m->why, code, "", rule, "%s", text);
    return false;
}

bool stix_matching_work(struct stix_matching *m, uint64_t units)
{
    if (m->err != ISG_OK)
        return false;
    if (units > m->work)
        return stix_matching_fail(m, ISG_ELIMIT, "S-129", "matching takes too much work");
    m->work -= units;
    return true;
}

void *stix_matching_alloc(struct stix_matching *m, size_t n, size_t size)
{
    void *p = n <= SIZE_MAX / size ? isg_arena_alloc(m->arena, n * size) : NULL;
    if (p == NULL)
        (void)stix_matching_fail(m, ISG_ENOMEM, NULL, "no memory");
    return p;
}

static bool match_pattern(struct stix_matching *m, const struct stix_pattern *pattern,
                          const struct stix_json *observations)
{
    struct stix_scene scene = {0};
    struct stix_program program = {0};
    bool binds = stix_scene_read(m, observations, &scene) == ISG_OK &&
                 stix_program_compile(m, pattern, &scene, &program) == ISG_OK &&
                 stix_plan_binds(m, program.plan, &scene);
    stix_program_free(&program);
    return binds;
}

int stix_match(struct isg_str pattern, enum stix_pattern_version version,
               const struct stix_json *observations, bool *out_match, struct isg_fail *why)
{
    struct stix_matching m = {.why = why, .work = WORK_MAX};
    struct isg_arena *tree = stix_pattern_arena(pattern.n);
    struct stix_pattern *parsed = NULL;
    m.arena = isg_arena_new(ARENA_MAX);
    if (tree == NULL || m.arena == NULL)
        m.err = isg_fail(why, ISG_ENOMEM, "no memory");
    if (m.err == ISG_OK)
        m.err = stix_pattern_parse(pattern, version, tree, &parsed, why);
    if (m.err == ISG_OK)
        m.err = stix_pattern_evaluable(parsed, tree, why);
    if (m.err == ISG_OK) {
        bool binds = match_pattern(&m, parsed, observations);
        if (m.err == ISG_OK)
            *out_match = binds;
    }
    isg_arena_free(&m.arena);
    isg_arena_free(&tree);
    return m.err;
}
