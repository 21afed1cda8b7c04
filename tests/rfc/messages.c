// SPDX-License-Identifier: Apache-2.0
// messages DIRECTORY: sends every NAME.msg there through the whole core, and compares what comes
// out with NAME.expect beside it. Each message finds an empty location table, a server that is
// responsible for any domain, and admits anybody. The lines of an expectation:
//
//     bind AOR CONTACT      before the message, a REGISTER for that address of record is served
//     peer IP:PORT          where the message comes from; 203.0.113.5:40000 unless told
//     silent                nothing is answered
//     status CODE [WORDS]   the answer's status; its reason phrase contains the words
//     target IP:PORT        where the answer goes
//     has TEXT              a line of the answer begins with the text
//     lacks TEXT            no line of the answer does
//     reason: TEXT          why, for people; it goes on to the end of the file
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "signpost/service/uas.h"

enum { NAMES_MAX = 256, FILE_BYTES_MAX = 70000, FAILED = 1 };

struct bench {
    struct uas uas;
    struct uas_scratch *scratch;
    struct metrics metrics;
    struct endpoint peer;
    unsigned registers;
    bool answered;
    size_t answer_len;
    char answer[ANSWER_BYTES_MAX];
    struct endpoint target;
};

static struct slice text_slice(const char *text)
{
    return slice_of(text, strlen(text));
}

// "192.0.2.4:5060" or "[2001:db8::1]:5060"
static bool parse_endpoint(struct slice text, struct endpoint *out)
{
    size_t colon = text.len;
    uint64_t port;
    while (colon > 0 && text.at[colon - 1] != ':') {
        colon--;
    }
    *out = (struct endpoint){.port = 0};
    if (colon == 0 || !ip_parse(slice_of(text.at, colon - 1), &out->ip) ||
        !slice_to_u64(slice_from(text, colon), UINT16_MAX, &port)) {
        return false;
    }
    out->port = (uint16_t)port;
    return true;
}

// The datagram lies in memory of just its size, so that a sanitizer sees what is read past it.
static void handle(struct bench *bench, struct slice bytes)
{
    char *const copy = malloc(bytes.len);
    struct endpoint local = {.port = 5060};
    if (copy == NULL || !ip_parse(SLICE("203.0.113.1"), &local.ip)) {
        abort();
    }
    memcpy(copy, bytes.at, bytes.len);
    const struct uas_input in = {
        .bytes = slice_of(copy, bytes.len),
        .peer = &bench->peer,
        .local = &local,
        .now = {.mono_ms = 5000000, .wall_ms = UINT64_C(1289690940000)},
    };
    struct uas_output out = {.answer = buf_over(bench->answer, sizeof(bench->answer))};
    bench->answered = uas_handle(&bench->uas, bench->scratch, &bench->metrics, &in, &out);
    bench->answer_len = bench->answered ? out.answer.len : 0;
    bench->target = out.target;
    free(copy);
}

// ---- The answer, asked for

static struct slice answer_of(const struct bench *bench)
{
    return slice_of(bench->answer, bench->answer_len);
}

static bool begins_with(struct slice s, struct slice start)
{
    return s.len >= start.len && slice_equal(slice_of(s.at, start.len), start);
}

static bool contains(struct slice s, struct slice part)
{
    for (; s.len > 0; s = slice_from(s, 1)) {
        if (begins_with(s, part)) {
            return true;
        }
    }
    return slice_empty(part);
}

static bool has_line(const struct bench *bench, struct slice start)
{
    for (struct slice rest = answer_of(bench); !slice_empty(rest);
         rest = slice_from(rest, slice_find(rest, '\n') + 1)) {
        if (begins_with(rest, start)) {
            return true;
        }
    }
    return false;
}

// "404 Not Found"; empty when there was no answer.
static struct slice answer_line(const struct bench *bench)
{
    const struct slice all = answer_of(bench);
    return slice_from(slice_of(all.at, slice_find(all, '\r')), strlen("SIP/2.0 "));
}

static bool status_is(const struct bench *bench, struct slice wanted)
{
    const size_t code_len = slice_find(wanted, ' ');
    const struct slice line = answer_line(bench);
    return begins_with(answer_of(bench), SLICE("SIP/2.0 ")) &&
           slice_equal(slice_of(line.at, slice_find(line, ' ')), slice_of(wanted.at, code_len)) &&
           contains(slice_from(line, code_len), slice_from(wanted, code_len + 1));
}

static bool target_is(const struct bench *bench, struct slice wanted)
{
    struct endpoint to;
    return bench->answered && parse_endpoint(wanted, &to) && ip_equal(&to.ip, &bench->target.ip) &&
           to.port == bench->target.port;
}

// ---- Expectations

static bool take_bind(struct bench *bench, struct slice what)
{
    static char text[FILE_BYTES_MAX];
    const size_t space = slice_find(what, ' ');
    const struct slice aor = slice_of(what.at, space);
    const struct slice contact = slice_from(what, space + 1);
    const int len = snprintf(text, sizeof(text),
                             "REGISTER sip:registrar.invalid SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKbind%u\r\n"
                             "To: <%.*s>\r\nFrom: <%.*s>;tag=1\r\nCall-ID: bind%u\r\n"
                             "CSeq: 1 REGISTER\r\nContact: %.*s\r\n\r\n",
                             bench->registers, (int)aor.len, aor.at, (int)aor.len, aor.at,
                             bench->registers, (int)contact.len, contact.at);
    bench->registers++;
    handle(bench, slice_of(text, (size_t)len));
    return status_is(bench, SLICE("200"));
}

// One line of an expectation; those of the first pass prepare, those of the second judge.
static bool line_holds(struct bench *bench, struct slice line, bool prepare)
{
    const size_t space = slice_find(line, ' ');
    const struct slice verb = slice_of(line.at, space);
    const struct slice what = slice_from(line, space + 1);
    if (slice_equal(verb, SLICE("bind"))) {
        return !prepare || take_bind(bench, what);
    }
    if (slice_equal(verb, SLICE("peer"))) {
        return !prepare || parse_endpoint(what, &bench->peer);
    }
    if (prepare) {
        return true;
    }
    if (slice_equal(verb, SLICE("silent"))) {
        return !bench->answered;
    }
    if (slice_equal(verb, SLICE("status"))) {
        return status_is(bench, what);
    }
    if (slice_equal(verb, SLICE("target"))) {
        return target_is(bench, what);
    }
    if (slice_equal(verb, SLICE("has"))) {
        return has_line(bench, what);
    }
    return slice_equal(verb, SLICE("lacks")) && bench->answered && !has_line(bench, what);
}

// The first line that does not hold, or an empty one. *decides: one of them says whether there is
// an answer, and a reason is given.
static struct slice first_broken(struct bench *bench, struct slice expectation, bool prepare,
                                 bool *decides)
{
    bool outcome = false;
    bool reason = false;
    while (!slice_empty(expectation) && !reason) {
        const size_t end = slice_find(expectation, '\n');
        const struct slice line = slice_of(expectation.at, end);
        reason = begins_with(line, SLICE("reason: "));
        outcome =
            outcome || begins_with(line, SLICE("silent")) || begins_with(line, SLICE("status "));
        if (!reason && !line_holds(bench, line, prepare)) {
            return line;
        }
        expectation = slice_from(expectation, end + 1);
    }
    *decides = outcome && reason;
    return slice_of(NULL, 0);
}

static void bench_start(struct bench *bench)
{
    static const struct location_config table = {
        .shards = 1, .contacts_max = 8, .bindings_max = 1000};
    static const struct cidr anybody[] = {{.ip = {.family = IP_V4}}, {.ip = {.family = IP_V6}}};
    *bench = (struct bench){.uas.config = {.admission = {anybody, 2},
                                           .expires_default_s = 3600,
                                           .expires_min_s = 60,
                                           .expires_max_s = 7200,
                                           .register_contacts_max = 8,
                                           .redirect_bytes_max = ANSWER_BYTES_MAX},
                            .uas.location = location_create(&table),
                            .scratch = uas_scratch_create()};
    if (bench->uas.location == NULL || bench->scratch == NULL ||
        !parse_endpoint(SLICE("203.0.113.5:40000"), &bench->peer)) {
        abort();
    }
}

static void bench_stop(struct bench *bench)
{
    location_destroy(bench->uas.location);
    uas_scratch_destroy(bench->scratch);
}

// True when everything is as expected; prints the outcome in any case.
static bool try_message(const char *name, struct slice message, struct slice expectation)
{
    static struct bench bench;
    bool decides = true;
    bench_start(&bench);
    struct slice broken = first_broken(&bench, expectation, true, &decides);
    if (slice_empty(broken)) {
        handle(&bench, message);
        broken = first_broken(&bench, expectation, false, &decides);
    }
    const bool good = slice_empty(broken) && decides;
    const struct slice line = bench.answered ? answer_line(&bench) : SLICE("silent");
    (void)printf("%s %-28s %.*s\n", good ? "ok  " : "FAIL", name, (int)line.len, line.at);
    if (!slice_empty(broken)) {
        (void)printf("     does not hold: %.*s\n%.*s\n", (int)broken.len, broken.at,
                     (int)bench.answer_len, bench.answer);
    } else if (!decides) {
        (void)printf("     no outcome or no reason is given\n");
    }
    bench_stop(&bench);
    return good;
}

// ---- Files

// The file's bytes, in `memory` of FILE_BYTES_MAX; false when there is no such file.
static bool read_file(const char *directory, const char *name, const char *ending, char *memory,
                      struct slice *out)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s%s", directory, name, ending);
    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *out = slice_of(memory, fread(memory, 1, FILE_BYTES_MAX, file));
    return fclose(file) == 0 && out->len > 0;
}

static bool run_one(const char *directory, const char *name)
{
    static char message_memory[FILE_BYTES_MAX];
    static char expectation_memory[FILE_BYTES_MAX];
    struct slice message;
    struct slice expectation;
    if (!read_file(directory, name, ".msg", message_memory, &message) ||
        !read_file(directory, name, ".expect", expectation_memory, &expectation)) {
        (void)printf("FAIL %s: message or expectation is missing\n", name);
        return false;
    }
    return try_message(name, message, expectation);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

// The names of all *.msg and *.expect, each once and without its ending.
static size_t list_names(const char *directory, char names[static NAMES_MAX][NAME_MAX + 1])
{
    size_t count = 0;
    DIR *const dir = opendir(directory);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const struct slice name = text_slice(entry->d_name);
        const size_t stem = slice_find(name, '.');
        const struct slice ending = slice_from(name, stem);
        if (count < NAMES_MAX && stem > 0 &&
            (slice_equal(ending, SLICE(".msg")) || slice_equal(ending, SLICE(".expect")))) {
            memcpy(names[count], name.at, stem);
            names[count++][stem] = '\0';
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    qsort(names, count, sizeof(names[0]), by_name);
    return count;
}

int main(int argc, char **argv)
{
    static char names[NAMES_MAX][NAME_MAX + 1];
    const char *const directory = argc == 2 ? argv[1] : "";
    const size_t count = list_names(directory, names);
    size_t messages = 0;
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0) {
            messages++;
            failed += run_one(directory, names[i]) ? 0 : 1;
        }
    }
    (void)printf("%zu messages, %zu failed\n", messages, failed);
    return messages > 0 && failed == 0 ? EXIT_SUCCESS : FAILED;
}
