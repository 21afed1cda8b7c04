// SPDX-License-Identifier: Apache-2.0
#include "env/config_file.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "env/yaml_place.h"

struct config_file {
    const char *path;
    char *bytes;
    size_t bytes_count;
    struct option_texts *texts; // libcyaml's; NULL when the file gives nothing
};

// The schema. A scalar is loaded as the text it is: libcyaml knows neither bounds nor our types,
// and the command line needs a parser for them anyway (option_value.h).
static const cyaml_schema_value_t item_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

#define FIELD(shape, id, name, min, max)    FIELD_OF(shape, id, name, min, max)
#define FIELD_OF(shape, id, name, min, max) FIELD_##shape(id, name, min, max)
#define FIELD_ONE(id, name, min, max)                                                              \
    CYAML_FIELD_STRING_PTR(name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct option_texts,    \
                           at[OPTION_##id].one, 0, CYAML_UNLIMITED)
#define FIELD_LIST(id, name, min, max)                                                             \
    CYAML_FIELD_SEQUENCE_COUNT(name, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,                     \
                               struct option_texts, at[OPTION_##id].items,                         \
                               at[OPTION_##id].items_count, &item_schema, min, max)

static const cyaml_schema_field_t fields_schema[] = {
#define X(type, id, field, name, letter, unit, min, max, ...)                                      \
    FIELD(OPTION_SHAPE_##type, id, name, min, max),
    OPTIONS(X)
#undef X
        CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct option_texts, fields_schema),
};

static enum err read_bytes(const char *path, struct config_file *file, FILE *err);
static enum err load_texts(struct config_file *file, FILE *err);

enum err config_file_load(const char *path, struct config_file **out, FILE *err)
{
    *out = NULL;
    struct config_file *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        (void)fprintf(err, "signpostd: %s: %s\n", path, err_text(ERR_NO_MEMORY));
        return ERR_NO_MEMORY;
    }
    file->path = path;
    enum err e = read_bytes(path, file, err);
    if (e == ERR_OK) {
        e = load_texts(file, err);
    }
    if (e != ERR_OK) {
        config_file_destroy(file);
        return e;
    }
    *out = file;
    return ERR_OK;
}

void config_file_destroy(struct config_file *file)
{
    if (file == NULL) {
        return;
    }
    const cyaml_config_t config = {.mem_fn = cyaml_mem};
    // Frees exactly what the schema says it has allocated; a NULL mapping is legal.
    const cyaml_err_t freed = cyaml_free(&config, &file_schema, file->texts, 0);
    assert(freed == CYAML_OK);
    free(file->bytes);
    free(file);
}

const struct option_texts *config_file_texts(const struct config_file *file)
{
    static const struct option_texts nothing = {0};
    return file->texts == NULL ? &nothing : file->texts;
}

const char *config_file_path(const struct config_file *file)
{
    return file->path;
}

unsigned config_file_line(const struct config_file *file, enum option_id id, unsigned i)
{
    return yaml_place_line(slice_of(file->bytes, file->bytes_count), id, i);
}

static enum err read_bytes(const char *path, struct config_file *file, FILE *err)
{
    const char *why = NULL;
    FILE *in = fopen(path, "re");
    file->bytes = malloc(CONFIG_FILE_BYTES_MAX + 1);
    if (in == NULL) {
        why = strerror(errno);
    } else if (file->bytes == NULL) {
        why = err_text(ERR_NO_MEMORY);
    } else {
        file->bytes_count = fread(file->bytes, 1, CONFIG_FILE_BYTES_MAX + 1, in);
        if (ferror(in) != 0) {
            why = strerror(errno);
        } else if (file->bytes_count > CONFIG_FILE_BYTES_MAX) {
            why = "larger than 1 MiB";
        }
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    if (why != NULL) {
        (void)fprintf(err, "signpostd: --config: cannot read %s: %s\n", path, why);
    }
    return why == NULL ? ERR_OK : ERR_IO;
}

// libcyaml warns of what it passes over (a second document), and nothing may be passed over.
static void note_warning(cyaml_log_t level, void *context, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    bool *warned = context;
    *warned = true;
}

static enum err load_texts(struct config_file *file, FILE *err)
{
    bool warned = false;
    const cyaml_config_t config = {
        .mem_fn = cyaml_mem,
        .log_fn = note_warning,
        .log_ctx = &warned,
        .log_level = CYAML_LOG_WARNING,
    };
    cyaml_data_t *texts = NULL;
    const cyaml_err_t e = cyaml_load_data((const uint8_t *)file->bytes, file->bytes_count, &config,
                                          &file_schema, &texts, NULL);
    file->texts = texts;
    if (e == CYAML_OK && !warned) {
        return ERR_OK;
    }
    // What libcyaml logs names the place its parser has got to, often not that of the fault.
    struct yaml_fault fault;
    if (yaml_place_fault(slice_of(file->bytes, file->bytes_count), &fault)) {
        (void)fprintf(err, "%s:%u: %s\n", file->path, fault.line, fault.text);
    } else {
        (void)fprintf(err, "%s: %s\n", file->path, cyaml_strerror(e));
    }
    return e == CYAML_ERR_OOM ? ERR_NO_MEMORY : ERR_SYNTAX;
}

enum err config_file_print(const struct option_texts *texts, FILE *out)
{
    const cyaml_config_t config = {.mem_fn = cyaml_mem, .flags = CYAML_CFG_STYLE_BLOCK};
    char *yaml = NULL;
    size_t yaml_len = 0;
    if (cyaml_save_data(&yaml, &yaml_len, &config, &file_schema, texts, 0) != CYAML_OK) {
        return ERR_NO_MEMORY;
    }
    const size_t written = fwrite(yaml, 1, yaml_len, out);
    free(yaml); // cyaml_mem is realloc and free
    return written == yaml_len ? ERR_OK : ERR_IO;
}

void config_file_print_example(FILE *out)
{
    (void)fputs("# Configuration of signpostd, read with --config FILE.\n"
                "#\n"
                "# Every option stands here with its default, commented out. The command line has\n"
                "# the same options (--NAME VALUE) and overrides this file, a list as a whole.\n"
                "# Check a file with: signpostd --check-config --config FILE\n"
                "# Made by signpostd --print-example.\n",
                out);
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_row((enum option_id)id);
        (void)fprintf(out, "\n# %s\n# ", row->help);
        option_print_facts(row, out);
        if (row->shape == OPTION_ONE) {
            (void)fprintf(out, "#%s: %s\n", row->name, row->defaults[0]);
            continue;
        }
        (void)fprintf(out, "#%s:%s\n", row->name, row->defaults[0] == NULL ? " []" : "");
        for (const char *const *item = row->defaults; *item != NULL; item++) {
            (void)fprintf(out, "#  - %s\n", *item);
        }
    }
}
