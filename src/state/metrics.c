// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/metrics.h"

#include <assert.h>

static const struct metric_row rows[METRIC_COUNT] = {
#define X(id, kind, name, labels, help) {name, labels, METRIC_##kind, help},
    METRICS(X)
#undef X
#define X(method, allowed)                                                                         \
    {"signpost_requests_total", "method=\"" #method "\"", METRIC_COUNTER,                          \
     "Well-formed requests received, by method."},
        METHODS(X)
#undef X
            {"signpost_requests_total", "method=\"other\"", METRIC_COUNTER,
             "Well-formed requests received, by method."},
#define X(code, name, phrase)                                                                      \
    {"signpost_responses_total", "code=\"" #code "\"", METRIC_COUNTER,                             \
     "Responses made, by status code."},
    STATUSES(X)
#undef X
};

void metrics_sum(struct metrics *sum, const struct metrics *from)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        metric_add(&sum->rows[i], metric_read(&from->rows[i]));
    }
}

const struct metric_row *metrics_row(enum metric id)
{
    assert(id < METRIC_COUNT);
    return &rows[id];
}
