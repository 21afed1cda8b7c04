// SPDX-License-Identifier: Apache-2.0
#include "micro/run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "micro/group.h"
#include "micro/report.h"

enum {
    LABEL_BYTES = 64,
    SIZES_STEP = 10,
    TURNS = 5, // of each size in a comparison, each warmed up anew
};

struct run {
    const struct run_options *options;
    FILE *why;
    struct counters counters;
    struct report report;
    struct series series;
    struct series series_many; // of the larger table
    size_t rows;               // reported
    bool broken;               // something could not be built
};

static bool run_group(struct run *run, const struct micro_group *group, uint32_t users);
static bool compare_row(struct run *run, const struct micro_row *row, void *few, void *many);

static struct run *start(const struct run_options *options, FILE *out, FILE *why)
{
    struct run *const run = calloc(1, sizeof(*run));
    if (run == NULL) {
        return NULL;
    }
    run->options = options;
    run->why = why;
    run->counters = counters_open();
    run->report = report_begin(out, options->json, options->rounds);
    return run;
}

static enum run_end end(struct run *run, enum run_end how)
{
    const bool nothing = how == RUN_OK && run->rows == 0;
    if (nothing) {
        (void)fprintf(run->why, "no row has \"%s\" in its name\n", run->options->filter);
    }
    counters_close(&run->counters);
    const bool broken = run->broken;
    const bool written = report_end(&run->report);
    free(run);
    return nothing || broken || !written ? RUN_BROKEN : how;
}

enum run_end run_all(const struct run_options *options, FILE *out, FILE *why)
{
    struct run *const run = start(options, out, why);
    if (run == NULL) {
        return RUN_BROKEN;
    }
    bool ok = run_group(run, &wire_group, 0) && run_group(run, &ring_group, 0) &&
              run_group(run, &keep_group, 0);
    for (uint32_t users = RUN_USERS_FEW; ok && users <= options->users_max; users *= SIZES_STEP) {
        ok = run_group(run, &table_group, users);
    }
    return end(run, ok ? RUN_OK : RUN_WRONG);
}

// "table/hit/10k": the row's name, and the table's size if it has one.
static const char *label_of(const struct micro_row *row, uint32_t users, char *label)
{
    const bool millions = users % 1000000 == 0;
    const bool thousands = users % 1000 == 0;
    const uint32_t unit = millions ? 1000000 : thousands ? 1000 : 1;
    const char *const mark = millions ? "M" : thousands ? "k" : "";
    const int len = users == 0 ? snprintf(label, LABEL_BYTES, "%s", row->name)
                               : snprintf(label, LABEL_BYTES, "%s/%" PRIu32 "%s", row->name,
                                          users / unit, mark);
    assert(len > 0 && len < LABEL_BYTES);
    return label;
}

static bool wanted(const struct run *run, const struct micro_row *row, uint32_t users)
{
    char label[LABEL_BYTES];
    return strstr(label_of(row, users, label), run->options->filter) != NULL;
}

// A large table is not built for nothing.
static bool any_wanted(const struct run *run, const struct micro_group *group, uint32_t users)
{
    struct micro_row row;
    for (size_t i = 0; group->row_at(i, &row); i++) {
        if (wanted(run, &row, users)) {
            return true;
        }
    }
    return false;
}

static void *build(struct run *run, const struct micro_group *group, uint32_t users)
{
    void *const stage = group->create(users);
    if (stage == NULL) {
        run->broken = true;
        (void)fprintf(run->why, "cannot build what is measured, with %" PRIu32 " users\n", users);
    }
    return stage;
}

static bool went_wrong(const struct run *run, const char *label)
{
    (void)fprintf(run->why, "%s: does not do what it should, so it cannot be measured\n", label);
    return false;
}

static bool run_row(struct run *run, const struct micro_row *row, void *stage, uint32_t users)
{
    char label[LABEL_BYTES];
    (void)label_of(row, users, label);
    run->series = (struct series){0};
    if (!measure_row(row, stage, run->options->rounds, &run->counters, &run->series)) {
        return went_wrong(run, label);
    }
    const struct figures figures = series_figures(&run->series);
    report_row(&run->report, label, &figures);
    run->rows++;
    return true;
}

static bool run_group(struct run *run, const struct micro_group *group, uint32_t users)
{
    if (!any_wanted(run, group, users)) {
        return true;
    }
    void *const stage = build(run, group, users);
    bool ok = stage != NULL;
    struct micro_row row;
    for (size_t i = 0; ok && group->row_at(i, &row); i++) {
        ok = !wanted(run, &row, users) || run_row(run, &row, stage, users);
    }
    if (stage != NULL) {
        group->destroy(stage);
    }
    return ok;
}

// --- few users against many -----------------------------------------------------------------

enum run_end run_scale(const struct run_options *options, FILE *out, FILE *why)
{
    struct run *const run = start(options, out, why);
    if (run == NULL) {
        return RUN_BROKEN;
    }
    if (!any_wanted(run, &table_group, 0)) {
        return end(run, RUN_OK);
    }
    void *const few = build(run, &table_group, RUN_USERS_FEW);
    void *const many = build(run, &table_group, options->scale);
    bool ok = few != NULL && many != NULL;
    struct micro_row row;
    for (size_t i = 0; ok && table_group.row_at(i, &row); i++) {
        ok = !wanted(run, &row, 0) || compare_row(run, &row, few, many);
    }
    if (few != NULL) {
        table_group.destroy(few);
    }
    if (many != NULL) {
        table_group.destroy(many);
    }
    return end(run, ok ? RUN_OK : RUN_WRONG);
}

static bool compare_row(struct run *run, const struct micro_row *row, void *few, void *many)
{
    char label[LABEL_BYTES];
    const size_t rounds = run->options->rounds < TURNS ? 1 : run->options->rounds / TURNS;
    run->series = (struct series){0};
    run->series_many = (struct series){0};
    for (unsigned i = 0; i < TURNS; i++) {
        if (!measure_row(row, few, rounds, &run->counters, &run->series) ||
            !measure_row(row, many, rounds, &run->counters, &run->series_many)) {
            return went_wrong(run, row->name);
        }
    }
    const struct figures cost_few = series_figures(&run->series);
    const struct figures cost_many = series_figures(&run->series_many);
    report_row(&run->report, label_of(row, RUN_USERS_FEW, label), &cost_few);
    report_row(&run->report, label_of(row, run->options->scale, label), &cost_many);
    (void)snprintf(label, sizeof(label), "%s ratio", row->name);
    report_ratio(&run->report, label, &cost_few, &cost_many);
    run->rows++;
    return true;
}
