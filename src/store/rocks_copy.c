// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

// In this order: what says which files there are names none that comes into being afterwards.
enum part { PART_LISTS, PART_OTHERS, PARTS };

static bool begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool belongs_to(enum part part, const char *name)
{
    const bool lists = strcmp(name, "CURRENT") == 0 || begins_with(name, "MANIFEST-");
    const bool none = name[0] == '.' || begins_with(name, "LOG") || strcmp(name, "LOCK") == 0;
    return !none && lists == (part == PART_LISTS);
}

static bool is_final(const char *name)
{
    const char *const dot = strrchr(name, '.');
    return dot != NULL && strcmp(dot, ".sst") == 0;
}

static bool copy_bytes(int in, int out)
{
    enum { CHUNK_BYTES = 1 << 20 };

    ssize_t len = 0;
    do {
        len = sendfile(out, in, NULL, CHUNK_BYTES);
    } while (len > 0);
    return len == 0 && fsync(out) == 0;
}

static bool copy_file(int from, int to, const char *name)
{
    const int in = openat(from, name, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return errno == ENOENT; // gone since it was listed
    }
    const int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool copied = out >= 0 && copy_bytes(in, out);
    const int error = errno;
    if (out >= 0) {
        (void)close(out);
    }
    (void)close(in);
    errno = error;
    return copied;
}

static bool take_file(int from, int to, const char *name)
{
    return (is_final(name) && linkat(from, name, to, name, 0) == 0) || copy_file(from, to, name);
}

static bool take_part(int from, int to, enum part part)
{
    const int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *const list = fd < 0 ? NULL : fdopendir(fd);
    bool taken = list != NULL;
    const struct dirent *entry = NULL;
    // An error is not the end of the list: what were not copied would be dropped all the same.
    for (errno = 0; taken && (entry = readdir(list)) != NULL; errno = taken ? 0 : errno) {
        taken = !belongs_to(part, entry->d_name) || take_file(from, to, entry->d_name);
    }
    const int error = errno;
    if (list != NULL) {
        (void)closedir(list);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    errno = error;
    return taken && error == 0;
}

static void clear(int directory)
{
    const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *const list = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry = NULL;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        (void)unlinkat(directory, entry->d_name, 0);
    }
    if (list != NULL) {
        (void)closedir(list);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

bool rocks_copy(int from, const char *to)
{
    if (mkdir(to, S_IRWXU) != 0 && errno != EEXIST) {
        return false;
    }
    const int fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    clear(fd);
    bool copied = true;
    for (enum part part = PART_LISTS; copied && part < PARTS; part++) {
        copied = take_part(from, fd, part);
    }
    copied = copied && fsync(fd) == 0;
    const int error = errno;
    if (!copied) {
        clear(fd); // a part of it is not to take up room
    }
    (void)close(fd);
    errno = error;
    return copied;
}
