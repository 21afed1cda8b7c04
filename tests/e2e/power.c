// SPDX-License-Identifier: Apache-2.0

// To be preloaded (LD_PRELOAD) between a server and its disk: writes down what has been brought to
// disk, a line "SIZE PATH" for each sync of a file, into the file whose name is in POWER_FILE. What
// was written later than a file's last line a power cut would take (stores.py, Power).

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

static void note(long long size, const char *path)
{
    char line[PATH_BYTES + 32];
    const char *const notes = getenv("POWER_FILE");
    const int len = snprintf(line, sizeof(line), "%lld %s\n", size, path);
    const int fd =
        notes == NULL ? -1 : open(notes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line, (size_t)len) != len) {
        abort();
    }
    (void)close(fd);
}

static int synchronize(const char *name, int fd)
{
    int (*real)(int) = NULL;
    char link[64];
    char path[PATH_BYTES];
    struct stat before;
    *(void **)&real = dlsym(RTLD_NEXT, name); // the way that POSIX shows
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 0 || fstat(fd, &before) != 0) {
        abort();
    }
    path[len] = '\0';
    const int rc = real(fd);
    if (rc == 0) {
        note(before.st_size, path);
    }
    return rc;
}

int fdatasync(int fd)
{
    return synchronize("fdatasync", fd);
}

int fsync(int fd)
{
    return synchronize("fsync", fd);
}
