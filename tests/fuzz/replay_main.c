// SPDX-License-Identifier: Apache-2.0
// Feeds every file of a corpus directory to a fuzz target that is linked without libFuzzer, whole
// and cut off (at every byte, or longer ones in CUTS places), so that what a fuzzer once found is
// tried in every build.
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { CUTS = 128 };

// A buffer of exactly the file's size, so that a sanitizer sees the first byte read past it; the
// targets themselves guard what is cut off (tests/fuzz/input.h).
static bool replay(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        perror(path);
        return false;
    }
    const size_t size = (size_t)info.st_size;
    uint8_t *const data = malloc(size > 0 ? size : 1);
    const bool whole = data != NULL && fread(data, 1, size, file) == size;
    (void)fclose(file);
    if (whole) {
        // said before, for it may not come back
        (void)fprintf(stderr, "%s\n", path);
        const size_t step = size / CUTS + 1;
        (void)LLVMFuzzerTestOneInput(data, size);
        for (size_t len = 0; len < size; len += step) {
            (void)LLVMFuzzerTestOneInput(data, len);
        }
    } else {
        perror(path);
    }
    free(data);
    return whole;
}

static bool visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    DIR *const corpus = argc == 2 ? opendir(argv[1]) : NULL;
    if (corpus == NULL) {
        (void)fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
        return EXIT_FAILURE;
    }
    size_t replayed = 0;
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(corpus)) != NULL) {
        char path[4096];
        const int length = snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        ok = length > 0 && (size_t)length < sizeof(path);
        if (ok && visible(entry)) {
            ok = replay(path);
            replayed++;
        }
    }
    (void)closedir(corpus);
    (void)fprintf(stderr, "%zu inputs replayed\n", replayed);
    return ok && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
