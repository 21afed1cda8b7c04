// SPDX-License-Identifier: Apache-2.0
#include "env/option.h"

#include <inttypes.h>

#include "env/config.h"

#define SHAPE(type)        SHAPE_OF(OPTION_SHAPE_##type)
#define SHAPE_OF(shape)    SHAPE_PASTE(shape)
#define SHAPE_PASTE(shape) OPTION_##shape

// Takes the parentheses off the column `defaults`.
#define DEFAULTS(...) __VA_ARGS__

static const struct option_row rows[OPTION_COUNT] = {
#define X(type_, id, field, name_, letter_, unit_, min_, max_, defaults_, metavar_, help_)         \
    [OPTION_##id] = {.name = (name_),                                                              \
                     .type = OPTION_TYPE_##type_,                                                  \
                     .shape = SHAPE(type_),                                                        \
                     .letter = (letter_),                                                          \
                     .min = (min_),                                                                \
                     .max = (max_),                                                                \
                     .offset = offsetof(struct config, field),                                     \
                     .unit = (unit_),                                                              \
                     .defaults = {DEFAULTS defaults_},                                             \
                     .metavar = (metavar_),                                                        \
                     .help = (help_)},
    OPTIONS(X)
#undef X
};

const struct option_row *option_row(enum option_id id)
{
    assert(id < OPTION_COUNT);
    return &rows[id];
}

static bool is_number(const struct option_row *row)
{
    return row->type == OPTION_TYPE_UINT || row->type == OPTION_TYPE_POWER_OF_TWO;
}

void option_print_facts(const struct option_row *row, FILE *out)
{
    (void)fputs(row->shape == OPTION_LIST ? "May be given several times. Default:" : "Default:",
                out);
    for (const char *const *text = row->defaults; *text != NULL; text++) {
        (void)fprintf(out, " %s", *text);
    }
    (void)fputs(row->defaults[0] == NULL ? " none" : "", out);
    if (is_number(row)) {
        (void)fprintf(out, " (%" PRIu32 "..%" PRIu32 " %s%s)", row->min, row->max, row->unit,
                      row->type == OPTION_TYPE_POWER_OF_TWO ? ", a power of two" : "");
    }
    (void)fputs("\n", out);
}

struct option_texts option_defaults(void)
{
    struct option_texts texts = {0};
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = &rows[id];
        struct option_given *given = &texts.at[id];
        switch (row->shape) {
        case OPTION_ONE: given->one = row->defaults[0]; break;
        case OPTION_LIST: given->items = row->defaults; break;
        }
        while (given->items != NULL && given->items[given->items_count] != NULL) {
            given->items_count++;
        }
    }
    return texts;
}
