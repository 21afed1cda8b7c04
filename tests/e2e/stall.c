// SPDX-License-Identifier: Apache-2.0

// To be preloaded (LD_PRELOAD) between a server and its disk: makes the disk stand still, fail, or
// be slow to be read, as a file says whose name is in STALL_FILE. While the file has the word
//
//     write   what brings bytes to disk does not return
//     fail    the same returns EIO
//     load    blocks that were kept are not read
//
// and goes on when the file is empty or gone.

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rocksdb_iterator_t;

void rocksdb_iter_seek(struct rocksdb_iterator_t *iterator, const char *key, size_t bytes);

static bool told(const char *word)
{
    char line[16] = "";
    const char *const path = getenv("STALL_FILE");
    FILE *const file = path == NULL ? NULL : fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    const bool same = fgets(line, sizeof(line), file) != NULL && strcmp(line, word) == 0;
    (void)fclose(file);
    return same;
}

static void wait_while(const char *word)
{
    enum { PAUSE_US = 5000 };

    while (told(word)) {
        (void)usleep(PAUSE_US);
    }
}

static int synchronize(const char *name, int fd)
{
    int (*real)(int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, name); // the way that POSIX shows
    wait_while("write");
    if (told("fail")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fdatasync(int fd)
{
    return synchronize("fdatasync", fd);
}

int fsync(int fd)
{
    return synchronize("fsync", fd);
}

void rocksdb_iter_seek(struct rocksdb_iterator_t *iterator, const char *key, size_t bytes)
{
    void (*real)(struct rocksdb_iterator_t *, const char *, size_t) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "rocksdb_iter_seek");
    wait_while("load");
    real(iterator, key, bytes);
}
