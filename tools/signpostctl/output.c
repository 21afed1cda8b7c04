// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char unique[] = ".XXXXXX";

static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

// Where a link leads to, which stays one; or the path itself, where nothing is yet.
static char *place_of(const char *path)
{
    char *const place = realpath(path, NULL);
    return place == NULL && errno == ENOENT ? strdup(path) : place;
}

static bool open_beside(struct output *output)
{
    const size_t len = strlen(output->path);
    output->partial = malloc(len + sizeof(unique));
    if (output->partial == NULL) {
        return false;
    }
    memcpy(output->partial, output->path, len);
    memcpy(output->partial + len, unique, sizeof(unique));
    const int fd = mkostemp(output->partial, O_CLOEXEC); // 0600
    if (fd < 0) {
        return false;
    }
    output->file = fdopen(fd, "w");
    if (output->file == NULL) {
        (void)close(fd);
        (void)unlink(output->partial);
    }
    return output->file != NULL;
}

static void forget(struct output *output)
{
    free(output->path);
    free(output->partial);
    *output = (struct output){.name = output->name};
}

bool output_open(struct output *output, const char *path)
{
    *output = (struct output){.name = path == NULL ? "standard output" : path};
    if (path == NULL) {
        output->file = stdout;
        return true;
    }
    if (is_special(path)) {
        output->file = fopen(path, "we");
        return output->file != NULL;
    }
    output->path = place_of(path);
    if (output->path == NULL || !open_beside(output)) {
        const int error = errno;
        forget(output);
        errno = error;
        return false;
    }
    return true;
}

// So that the name survives a power cut. Where it does not, the file of before is there.
static void sync_directory(char *path)
{
    char *const slash = strrchr(path, '/');
    if (slash != NULL) {
        slash[slash == path ? 1 : 0] = '\0';
    }
    const int fd = open(slash == NULL ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

bool output_finish(struct output *output)
{
    bool ok = fflush(output->file) == 0;
    ok = ok && (output->path == NULL || fsync(fileno(output->file)) == 0);
    int error = errno;
    if (output->file != stdout && fclose(output->file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (output->path != NULL) {
        if (ok && rename(output->partial, output->path) != 0) {
            ok = false;
            error = errno;
        }
        if (ok) {
            sync_directory(output->path);
        } else {
            (void)unlink(output->partial);
        }
    }
    forget(output);
    errno = error;
    return ok;
}

void output_drop(struct output *output)
{
    if (output->file != stdout) {
        (void)fclose(output->file);
    }
    if (output->partial != NULL) {
        (void)unlink(output->partial);
    }
    forget(output);
}
