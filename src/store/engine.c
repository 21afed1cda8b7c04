// SPDX-License-Identifier: Apache-2.0
#include "store/engine.h"

#include <stdarg.h>
#include <stdio.h>

enum err engine_fail(struct engine_fault *fault, enum err e, const char *format, ...)
{
    assert(e != ERR_OK);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    for (char *at = fault->text; *at != '\0'; at++) {
        *at = (unsigned char)*at < ' ' ? ' ' : *at;
    }
    return e;
}
