// SPDX-License-Identifier: Apache-2.0
#include "micro/report.h"

enum { NAME_COLUMNS = 34 };

// What is 0 in a JSON report of measured figures that are 0 too has no ratio.
static double ratio_of(const struct figures *few, const struct figures *many)
{
    return few->ns > 0 ? many->ns / few->ns : 0;
}

struct report report_begin(FILE *out, bool as_json, size_t rounds)
{
    struct report report = {.out = out, .as_json = as_json, .json = json_on(out)};
    if (as_json) {
        json_open(&report.json, NULL, '{');
        json_text(&report.json, "version", SLICE(SIGNPOST_VERSION));
        json_u64(&report.json, "rounds", rounds);
        json_open(&report.json, "rows", '[');
    } else {
        (void)fprintf(out, "%-*s %10s %21s %10s %13s\n", NAME_COLUMNS, "operation", "ns",
                      "half of batches", "cycles", "instructions");
    }
    return report;
}

static struct slice text_of(const char *text)
{
    return slice_of(text, strlen(text));
}

static void put_json(struct json *j, const char *name, const struct figures *f)
{
    json_open(j, NULL, '{');
    json_text(j, "name", text_of(name));
    json_real(j, "ns", f->ns);
    json_real(j, "ns_low", f->ns_low);
    json_real(j, "ns_high", f->ns_high);
    if (f->counted) {
        json_real(j, "cycles", f->cycles);
        json_real(j, "instructions", f->instructions);
    } else {
        json_null(j, "cycles");
        json_null(j, "instructions");
    }
    json_close(j, '}');
}

void report_row(struct report *report, const char *name, const struct figures *figures)
{
    if (report->as_json) {
        put_json(&report->json, name, figures);
        return;
    }
    (void)fprintf(report->out, "%-*s %10.1f %10.1f-%10.1f", NAME_COLUMNS, name, figures->ns,
                  figures->ns_low, figures->ns_high);
    if (figures->counted) {
        (void)fprintf(report->out, " %10.1f %13.1f\n", figures->cycles, figures->instructions);
    } else {
        (void)fprintf(report->out, " %10s %13s\n", "-", "-");
    }
    (void)fflush(report->out); // it takes a while until the next
}

void report_ratio(struct report *report, const char *name, const struct figures *few,
                  const struct figures *many)
{
    if (report->as_json) {
        json_open(&report->json, NULL, '{');
        json_text(&report->json, "name", text_of(name));
        json_real(&report->json, "ratio", ratio_of(few, many));
        json_close(&report->json, '}');
    } else {
        (void)fprintf(report->out, "%-*s %10.2f\n", NAME_COLUMNS, name, ratio_of(few, many));
    }
}

bool report_end(struct report *report)
{
    if (report->as_json) {
        json_close(&report->json, ']');
        json_close(&report->json, '}');
        (void)fputc('\n', report->out);
    }
    return fflush(report->out) == 0 && ferror(report->out) == 0;
}
