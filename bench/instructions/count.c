// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "micro/kind.h"

// To be run by check.py under callgrind, which counts inside of counted_handle only. One table is
// filled, and then each kind of request is measured in a child process of its own: all start from
// the same memory, so no count depends on which kinds were measured before. Prints "KIND MODE
// COUNT PROCESS" for each.

enum { USERS = 10000, WARM_UP = 100, COUNTED = 500 };

bool counted_handle(const struct uas *uas, struct uas_scratch *scratch, struct metrics *metrics,
                    const struct uas_input *in, struct uas_output *out);

// Found by its name, so it must stay a function. It adds a jump to what uas_handle takes.
__attribute__((noinline)) bool counted_handle(const struct uas *uas, struct uas_scratch *scratch,
                                              struct metrics *metrics, const struct uas_input *in,
                                              struct uas_output *out)
{
    return uas_handle(uas, scratch, metrics, in, out);
}

static bool measure(const struct kind *kind, bool stateful, struct bed *bed,
                    struct kind_batch *batch)
{
    bed_stateful(bed, stateful);
    if (!kind_prepare(kind, bed, WARM_UP, batch) || kind_handle(bed, batch) != WARM_UP ||
        !kind_finish(bed, batch) || !kind_prepare(kind, bed, COUNTED, batch)) {
        return false;
    }
    bed->handle = counted_handle;
    return kind_handle(bed, batch) == COUNTED;
}

// False when an answer was wrong.
static bool measure_apart(const struct kind *kind, bool stateful, struct bed *bed,
                          struct kind_batch *batch)
{
    const char *const mode = stateful ? "stateful" : "stateless";
    int status;
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        // Nothing is given back, and nothing written twice.
        _exit(measure(kind, stateful, bed, batch) ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        (void)fprintf(stderr, "%s %s: a wrong answer\n", kind->name, mode);
        return false;
    }
    (void)printf("%s %s %d %d\n", kind->name, mode, COUNTED, (int)child);
    return true;
}

int main(void)
{
    struct bed *const bed = bed_create();
    struct kind_batch *const batch = malloc(sizeof(*batch));
    bool ok = bed != NULL && batch != NULL;
    if (ok) {
        bed_stateful(bed, true);
        ok = bed_fill(bed, USERS);
    }
    for (size_t i = 0; ok && kind_at(i) != NULL; i++) {
        ok = measure_apart(kind_at(i), false, bed, batch) &&
             measure_apart(kind_at(i), true, bed, batch);
    }
    free(batch);
    bed_destroy(bed);
    return ok ? 0 : 1;
}
