// SPDX-License-Identifier: Apache-2.0
#include "env/yaml_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <yaml.h>

enum { NAME_BYTES_SHOWN_MAX = 80 };

static bool find_fault(yaml_parser_t *parser, struct yaml_fault *out);
static bool find_document_fault(yaml_document_t *document, struct yaml_fault *out);
static bool find_pair_fault(yaml_document_t *document, const yaml_node_pair_t *pair,
                            bool seen[OPTION_COUNT], struct yaml_fault *out);
static unsigned find_line(yaml_document_t *document, enum option_id id, unsigned i);

bool yaml_place_fault(struct slice yaml, struct yaml_fault *out)
{
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.at, yaml.len);
    const bool found = find_fault(&parser, out);
    yaml_parser_delete(&parser);
    return found;
}

unsigned yaml_place_line(struct slice yaml, enum option_id id, unsigned i)
{
    yaml_parser_t parser;
    yaml_document_t document;
    unsigned line = 0;
    if (yaml_parser_initialize(&parser) == 0) {
        return 0;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.at, yaml.len);
    if (yaml_parser_load(&parser, &document) != 0) {
        line = find_line(&document, id, i);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return line;
}

static bool fault_at(yaml_mark_t mark, struct yaml_fault *out)
{
    out->line = (unsigned)mark.line + 1;
    return true;
}

static bool syntax_fault(const yaml_parser_t *parser, struct yaml_fault *out)
{
    const char *problem = parser->problem == NULL ? "out of memory" : parser->problem;
    (void)snprintf(out->text, sizeof(out->text), "not YAML: %s", problem);
    // Bytes that are no UTF-8 are found before any token, hence without a mark of the problem.
    return fault_at(parser->error == YAML_READER_ERROR ? parser->mark : parser->problem_mark, out);
}

static bool find_fault(yaml_parser_t *parser, struct yaml_fault *out)
{
    yaml_document_t document;
    for (unsigned documents = 0;; documents++) {
        if (yaml_parser_load(parser, &document) == 0) {
            return syntax_fault(parser, out);
        }
        const yaml_node_t *root = yaml_document_get_root_node(&document);
        const bool at_end = root == NULL;
        bool found = false;
        if (!at_end && documents > 0) {
            (void)snprintf(out->text, sizeof(out->text),
                           "a second YAML document, expected one only");
            found = fault_at(document.start_mark, out);
        } else if (!at_end) {
            found = find_document_fault(&document, out);
        }
        yaml_document_delete(&document);
        if (at_end || found) {
            return found;
        }
    }
}

static bool find_document_fault(yaml_document_t *document, struct yaml_fault *out)
{
    bool seen[OPTION_COUNT] = {false};
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (root->type != YAML_MAPPING_NODE) {
        (void)snprintf(out->text, sizeof(out->text), "expected lines of the form 'option: value'");
        return fault_at(root->start_mark, out);
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        if (find_pair_fault(document, pair, seen, out)) {
            return true;
        }
    }
    return false;
}

static struct slice scalar_slice(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE) {
        return slice_of(NULL, 0);
    }
    return slice_of((const char *)node->data.scalar.value, node->data.scalar.length);
}

// OPTION_COUNT when the node names none.
static unsigned option_named(const yaml_node_t *key)
{
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        const char *name = option_row((enum option_id)id)->name;
        if (slice_equal(scalar_slice(key), slice_of(name, strlen(name)))) {
            return id;
        }
    }
    return OPTION_COUNT;
}

// The first node of the value that has not the row's shape, or NULL.
static const yaml_node_t *misshapen(yaml_document_t *document, const yaml_node_t *value,
                                    enum option_shape shape)
{
    if (shape == OPTION_ONE) {
        return value->type == YAML_SCALAR_NODE ? NULL : value;
    }
    if (value->type != YAML_SEQUENCE_NODE) {
        return value;
    }
    for (const yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
        const yaml_node_t *node = yaml_document_get_node(document, *item);
        if (node->type != YAML_SCALAR_NODE) {
            return node;
        }
    }
    return NULL;
}

static bool unknown_fault(const yaml_node_t *key, struct yaml_fault *out)
{
    const struct slice name = scalar_slice(key);
    if (slice_empty(name)) {
        (void)snprintf(out->text, sizeof(out->text), "expected an option's name before the ':'");
        return fault_at(key->start_mark, out);
    }
    struct buf text = buf_over(out->text, sizeof(out->text) - 1);
    for (size_t i = 0; i < name.len && i < NAME_BYTES_SHOWN_MAX; i++) {
        // A quoted key may hold anything, the message stays one line.
        buf_put_char(&text, name.at[i] >= ' ' && name.at[i] <= '~' ? name.at[i] : '?');
    }
    buf_put(&text, SLICE(": no such option, see --help"));
    assert(buf_ok(&text));
    out->text[text.len] = '\0';
    return fault_at(key->start_mark, out);
}

static bool find_count_fault(const yaml_node_t *list, const struct option_row *row,
                             struct yaml_fault *out)
{
    const size_t count = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
    if (count >= row->min && count <= row->max) {
        return false;
    }
    (void)snprintf(out->text, sizeof(out->text),
                   "%s: expected %" PRIu32 "..%" PRIu32 " items, got %zu", row->name, row->min,
                   row->max, count);
    return fault_at(list->start_mark, out);
}

static bool find_pair_fault(yaml_document_t *document, const yaml_node_pair_t *pair,
                            bool seen[OPTION_COUNT], struct yaml_fault *out)
{
    const yaml_node_t *key = yaml_document_get_node(document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(document, pair->value);
    const unsigned id = option_named(key);
    if (id == OPTION_COUNT) {
        return unknown_fault(key, out);
    }
    const struct option_row *row = option_row((enum option_id)id);
    if (seen[id]) {
        (void)snprintf(out->text, sizeof(out->text), "%s: given twice, expected once", row->name);
        return fault_at(key->start_mark, out);
    }
    seen[id] = true;
    const yaml_node_t *wrong = misshapen(document, value, row->shape);
    if (wrong != NULL) {
        (void)snprintf(out->text, sizeof(out->text), "%s: expected %s %s", row->name,
                       row->shape == OPTION_ONE ? "one value," : "a list of", row->metavar);
        return fault_at(wrong->start_mark, out);
    }
    return row->shape == OPTION_LIST && find_count_fault(value, row, out);
}

static unsigned find_line(yaml_document_t *document, enum option_id id, unsigned i)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (root == NULL || root->type != YAML_MAPPING_NODE) {
        return 0;
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const yaml_node_t *node = yaml_document_get_node(document, pair->key);
        if (option_named(node) != (unsigned)id) {
            continue;
        }
        const yaml_node_t *value = yaml_document_get_node(document, pair->value);
        if (value->type == YAML_SEQUENCE_NODE &&
            value->data.sequence.items.start + i < value->data.sequence.items.top) {
            node = yaml_document_get_node(document, value->data.sequence.items.start[i]);
        }
        return (unsigned)node->start_mark.line + 1;
    }
    return 0;
}
