#include <stdio.h>
#include <stix/object.h>

int main(void)
{
    static const char text[] = "{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\","
                               "\"id\":\"ipv4-addr--12592121-be4c-5a93-a813-5a5af16e50db\","
                               "\"value\":\"198.51.100.7\"}";
    struct isg_arena *arena = isg_arena_new(1 << 20);
    struct stix_report report;
    struct stix_object object;
    struct isg_fail why;
    stix_report_init(&report, arena, 0);
    int err = stix_object_read(ISG_STR(text), NULL, &report, &object, &why);
    if (err == ISG_OK)
        printf("%.*s: %s\n", ISG_STR_ARG(object.id), object.canon.p);
    else
        printf("%s (%s) at %s\n", why.text, why.rule, why.path);
    for (const struct stix_finding *f = report.first; f != NULL; f = f->next)
        printf("%s %s: %s\n", f->rule, f->path, f->message);
    if (err == ISG_OK)
        stix_object_done(&object);
    isg_arena_free(&arena);
    return err == ISG_OK ? 0 : 1;
}
