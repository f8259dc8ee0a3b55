#include "gateway/ingest/age.h"

#include <stddef.h>

#include "gateway/ingest/run.h"
#include "stix/base/time.h"

static int64_t date_of(const struct stix_json *part)
{
    int64_t us;
    return isg_time_parse(stix_json_get_str(part, "modified"), &us) ? us : INT64_MIN;
}

struct age age_first(const struct stix_json *part)
{
    return (struct age){.latest_us = date_of(part), .versions = 1, .dates = 1};
}

struct age age_next(const struct age *before, const struct stix_json *part)
{
    struct age next = *before;
    int64_t us = date_of(part);
    next.versions++;
    if (us > before->latest_us) {
        next.latest_us = us;
        next.dates++;
    }
    return next;
}

/* {"KEY": [versions, dates, "latest"], ...} */
struct age age_read(const struct stix_json *document, const char *key, const struct stix_json *part)
{
    const struct stix_json *kept = stix_json_get(stix_json_get(document, AGES), key);
    struct age age = age_first(part);
    if (stix_json_int(stix_json_at(kept, 0), &age.versions) &&
        stix_json_int(stix_json_at(kept, 1), &age.dates))
        (void)isg_time_parse(stix_json_str(stix_json_at(kept, 2)), &age.latest_us);
    return age;
}

void age_write(struct isg_jsonw *w, const char *key, const struct age *age)
{
    char text[ISG_TIME_TEXT];
    isg_jsonw_name(w, key);
    isg_jsonw_list(w);
    isg_jsonw_int(w, age->versions);
    isg_jsonw_int(w, age->dates);
    if (age->latest_us != INT64_MIN) {
        isg_time_format(age->latest_us, 6, text);
        isg_jsonw_str(w, isg_str_of(text));
    }
    isg_jsonw_end(w);
}

int64_t age_of_whole(const struct age *ages, size_t count, int64_t created_us)
{
    int64_t latest_us = created_us, versions = 0, dates = 0;
    for (size_t i = 0; i < count; i++) {
        const struct age *age = &ages[i];
        versions += age->versions;
        if (age->latest_us > latest_us || (age->latest_us == latest_us && age->dates < dates)) {
            latest_us = age->latest_us;
            dates = age->dates;
        }
    }
    return latest_us == INT64_MIN ? latest_us
                                  : latest_us + (versions - dates) * RUN_MODIFIED_STEP_US;
}
