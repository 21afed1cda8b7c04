// SPDX-License-Identifier: Apache-2.0
#include "env/state_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool join(const char *directory, const char *name, char *out, size_t bytes)
{
    const int len = snprintf(out, bytes, "%s%s", directory, name);
    return len > 0 && (size_t)len < bytes;
}

// systemd may name several, of which the first is the one.
static bool first_of(const char *list, char *out, size_t bytes)
{
    const size_t len = strcspn(list, ":");
    if (len == 0 || len >= bytes) {
        return false;
    }
    memcpy(out, list, len);
    out[len] = '\0';
    return true;
}

// What cannot be made is found missing by who wants to use it.
static bool in_home(const char *home, const char *const *steps, char *out, size_t bytes)
{
    bool ok = home != NULL && home[0] == '/' && join(home, "", out, bytes);
    for (; ok && *steps != NULL; steps++) {
        const size_t len = strlen(out);
        (void)mkdir(out, S_IRWXU);
        ok = join("/", *steps, out + len, bytes - len);
    }
    return ok;
}

bool state_directory(const char *given, char *out, size_t bytes)
{
    static const char *const from_state[] = {"signpost", NULL};
    static const char *const from_home[] = {".local", "state", "signpost", NULL};
    const char *const provided = getenv("STATE_DIRECTORY");
    if (given[0] != '\0') {
        return join(given, "", out, bytes);
    }
    if (provided != NULL) {
        return first_of(provided, out, bytes);
    }
    if (geteuid() == 0) {
        return join("/var/lib/signpost", "", out, bytes);
    }
    return in_home(getenv("XDG_STATE_HOME"), from_state, out, bytes) ||
           in_home(getenv("HOME"), from_home, out, bytes);
}
