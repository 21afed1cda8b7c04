// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/clock.h"
#include "signpostctl/export.h"
#include "signpostctl/import.h"
#include "signpostctl/output.h"
#include "store/rocks.h"

static int run_export(const struct invocation *invocation);
static int run_import(const struct invocation *invocation);
static int run_check(const struct invocation *invocation);

enum { EXPORT_OUTPUT, EXPORT_ALL };

enum { IMPORT_FROM, IMPORT_DOMAIN, IMPORT_TIMEZONE, IMPORT_TABLE, IMPORT_STRICT };

// clang-format off
static const struct command commands[] = {
    {
        "store", "export", "DIR", 1, 1, "write all bindings as JSON lines",
        "Writes the bindings that the store in DIR holds as JSON lines, one a binding; also while\n"
        "a server uses it. What \"store import\" reads again: a backup. Those of one address of\n"
        "record stand side by side, the newest first.\n",
        {
            [EXPORT_OUTPUT] = {"output", 'o', "FILE", "write there; default standard output"},
            [EXPORT_ALL] = {"all", '\0', NULL, "those that have expired, too"},
        },
        run_export,
    },
    {
        "store", "import", "DIR [FILE]", 1, 2, "take in a backup, or Kamailio's location table",
        "Reads bindings from FILE, or standard input, into the store in DIR, which is made if it\n"
        "is not there. No server may be using it. Every address of record that is named gets what\n"
        "FILE has of it, in place of what it had; all others stay. Nothing is written before all\n"
        "of FILE has been read.\n"
        "\n"
        "  json             of \"store export\", or of GET /bindings of a running server\n"
        "  kamailio-csv     the table location with a header line: mysql --batch, .mode csv, ...\n"
        "  kamailio-sql     from mysqldump, pg_dump, or sqlite3's .dump\n"
        "  kamailio-dbtext  db_text's file of the table\n",
        {
            [IMPORT_FROM] = {"from", '\0', "FORMAT", "one of those above; default: recognized"},
            [IMPORT_DOMAIN] = {"domain", 'd', "NAME", "of rows without a domain (use_domain 0)"},
            [IMPORT_TIMEZONE] = {"timezone", '\0', "ZONE",
                                 "of dates: UTC, +02:00, Europe/Berlin; default TZ's"},
            [IMPORT_TABLE] = {"table", '\0', "NAME", "of an SQL dump; default location"},
            [IMPORT_STRICT] = {"strict", '\0', NULL, "exit status 1 if any row is bad"},
        },
        run_import,
    },
    {
        "store", "check", "DIR", 1, 1, "read all of it, and tell what is there",
        "Reads everything that the store in DIR holds, also while a server uses it, and counts.\n"
        "When something is damaged it says what a server makes of it, and what to do.\n"
        "exit status: 0 whole; 1 something is damaged; 2 cannot be read\n",
        {{NULL, '\0', NULL, NULL}},
        run_check,
    },
};

const struct command_group store_commands = {
    "store", "What a server keeps on disk (signpostd --store rocksdb:DIR).",
    "Backup, and restoring it while the server is stopped:\n"
    "  signpostctl store export /var/lib/signpost -o backup.jsonl\n"
    "  signpostctl store import /var/lib/signpost backup.jsonl\n"
    "From Kamailio, so that no phone needs to register anew:\n"
    "  mysqldump kamailio location | signpostctl store import /var/lib/signpost\n"
    "\n" COMMAND_EXIT_STATUSES,
    commands, sizeof(commands) / sizeof(commands[0]),
};

// clang-format on

static const char *operand(const struct invocation *invocation, size_t i, const char *otherwise)
{
    return i < invocation->operand_count ? invocation->operands[i] : otherwise;
}

static bool open_for_writing(const char *directory, struct engine **engine)
{
    struct engine_fault fault = {""};
    struct hash_key key;
    if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        command_say("no random numbers: %s", strerror(errno));
        return false;
    }
    const enum err e = rocks_open(directory, ROCKS_SERVE, &key, engine, &fault);
    if (e == ERR_OK && !(*engine)->read_only) {
        return true;
    }
    command_say("%s", fault.text);
    if (e == ERR_OK) {
        engine_close(*engine);
    }
    return false;
}

// Where the reason is that of the directory itself, RocksDB would not tell it.
static bool directory_opens(const char *directory)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        command_say("%s: %s", directory, strerror(errno));
        return false;
    }
    (void)close(fd);
    return true;
}

// What READ has found damaged.
static bool open_for_salvage(const char *directory, const struct engine_fault *damage,
                             struct engine **engine)
{
    struct engine_fault fault = {""};
    const enum err e = rocks_open(directory, ROCKS_SALVAGE, NULL, engine, &fault);
    if (e == ERR_OK) {
        command_say("damaged: %s: some of the latest changes cannot be read", damage->text);
    } else if (e == ERR_NO_MEMORY) {
        command_say("%s", fault.text);
    } else {
        command_say("damaged, and nothing of it can be read: %s", fault.text);
        command_say("move %s away, then start the server on a new one, or import a backup into it",
                    directory);
    }
    return e == ERR_OK;
}

// Opened for reading, and where that fails for damage, without what is damaged. *salvaged: that.
static bool open_for_reading(const char *directory, struct engine **engine, bool *salvaged)
{
    struct engine_fault fault = {""};
    *salvaged = false;
    if (!directory_opens(directory)) {
        return false;
    }
    const enum err e = rocks_open(directory, ROCKS_READ, NULL, engine, &fault);
    if (e == ERR_DAMAGED) {
        *salvaged = open_for_salvage(directory, &fault, engine);
        return *salvaged;
    }
    if (e != ERR_OK) {
        command_say("%s", fault.text);
    }
    return e == ERR_OK;
}

// Says what of the store could not be read; false when it is whole.
static bool say_damage(const struct walk_report *walk)
{
    if (walk->damaged_blocks > 0 || walk->damaged_records > 0) {
        command_say("damaged: %" PRIu64 " blocks and %" PRIu64 " records could not be read",
                    walk->damaged_blocks, walk->damaged_records);
    }
    if (walk->newer_records > 0) {
        command_say("%" PRIu64 " records are of a later release: use its signpostctl",
                    walk->newer_records);
    }
    return walk->damaged_blocks + walk->damaged_records + walk->newer_records > 0;
}

// ---- export

static int finish_export(const struct export_report *report, bool all)
{
    command_say("%" PRIu64 " bindings of %" PRIu64 " addresses of record exported%s",
                report->bindings, report->aors,
                report->expired == 0 ? ""
                : all                ? ", with those below"
                                     : "");
    if (report->expired > 0) {
        command_say("%" PRIu64 " have expired%s", report->expired,
                    all ? "" : " and are left out (--all keeps them)");
    }
    return say_damage(&report->walk) ? STATUS_PARTLY : STATUS_OK;
}

static int export_to(struct output *output, struct engine *engine, bool all)
{
    const struct export_rules rules = {
        .now_ms = clock_now().wall_ms, .all = all, .name = output->name};
    struct export_report report;
    struct engine_fault fault = {""};
    const enum err e = export_all(engine, &rules, output->file, &report, &fault);
    if (e != ERR_OK) {
        output_drop(output);
        command_say("%s", fault.text);
        return STATUS_BROKEN;
    }
    if (!output_finish(output)) {
        command_say("%s: %s", output->name, strerror(errno));
        return STATUS_BROKEN;
    }
    return finish_export(&report, all);
}

static int run_export(const struct invocation *invocation)
{
    const bool all = invocation->values[EXPORT_ALL] != NULL;
    struct engine *engine = NULL;
    struct output output;
    bool salvaged;
    if (!open_for_reading(invocation->operands[0], &engine, &salvaged)) {
        return STATUS_BROKEN;
    }
    int status = STATUS_BROKEN;
    if (!output_open(&output, invocation->values[EXPORT_OUTPUT])) {
        command_say("%s: cannot be written: %s", output.name, strerror(errno));
    } else {
        status = export_to(&output, engine, all);
    }
    engine_close(engine);
    return status == STATUS_OK && salvaged ? STATUS_PARTLY : status;
}

// ---- import

static void say_if(uint64_t count, const char *what)
{
    if (count > 0) {
        command_say("%" PRIu64 " %s", count, what);
    }
}

static int finish_import(const struct import_report *report, const char *directory, bool strict)
{
    command_say("%" PRIu64 " rows read: %" PRIu64 " bindings of %" PRIu64
                " addresses of record imported into %s",
                report->rows, report->spool.bindings, report->spool.aors, directory);
    say_if(report->bad, "rows are bad, and left out");
    say_if(report->expired, "have expired, and are left out");
    say_if(report->spool.doubled, "left out: a newer row has an equal Contact");
    say_if(report->spool.crowded, "left out: an address of record holds no more, and they are its "
                                  "oldest");
    say_if(report->permanent,
           "never expire; here they do, as late as the server allows (expires-max-s)");
    say_if(report->by_nat, "came through NAT (received): until these phones register here, callers "
                           "get the Contact alone");
    say_if(report->by_path, "have a Path, which is not kept: until these phones register here, "
                            "callers get the Contact alone");
    if (report->cut) {
        command_say("the input seems to be cut, for it ends in the middle");
    }
    const bool all = report->spool.bindings > 0 && !report->cut && (!strict || report->bad == 0);
    return all ? STATUS_OK : STATUS_PARTLY;
}

static bool read_rules(const struct invocation *invocation, struct import_rules *rules)
{
    const char *const domain = invocation->values[IMPORT_DOMAIN];
    const char *const zone = invocation->values[IMPORT_TIMEZONE];
    const char *const table = invocation->values[IMPORT_TABLE];
    const char *const from = invocation->values[IMPORT_FROM];
    const char *const scratch = getenv("TMPDIR");
    char bytes[AOR_BYTES_MAX];
    struct buf aor = buf_over(bytes, sizeof(bytes));
    *rules = (struct import_rules){
        .kamailio = {.now_ms = clock_now().wall_ms,
                     .domain = domain == NULL ? SLICE("") : slice_of(domain, strlen(domain))},
        .table = table == NULL ? SLICE("location") : slice_of(table, strlen(table)),
        .name = operand(invocation, 1, "standard input"),
        .scratch = scratch == NULL || scratch[0] == '\0' ? "/var/tmp" : scratch,
        .complaints = stderr,
    };
    if (domain != NULL && !entry_put_aor(&aor, SLICE("x"), rules->kamailio.domain)) {
        command_say("--domain %s: is no host name", domain);
        return false;
    }
    if (!zone_parse(zone == NULL ? "local" : zone, &rules->kamailio.zone)) {
        command_say("--timezone %s: neither UTC, local, +02:00 nor a name like Europe/Berlin in "
                    "/usr/share/zoneinfo",
                    zone);
        return false;
    }
    if (from != NULL && !import_format_find(from, &rules->format)) {
        command_say("--from %s: is none of json, kamailio-csv, kamailio-sql, kamailio-dbtext",
                    from);
        return false;
    }
    return true;
}

static bool settle_format(const struct invocation *invocation, struct source *source,
                          struct import_rules *rules)
{
    if (import_is_sqlite(source)) {
        command_say("%s: is an SQLite database; dump it first: "
                    "sqlite3 %s '.dump %.*s' | signpostctl store import %s",
                    rules->name, operand(invocation, 1, "FILE"), (int)rules->table.len,
                    rules->table.at, invocation->operands[0]);
        return false;
    }
    if (invocation->values[IMPORT_FROM] != NULL) {
        return true;
    }
    if (!import_recognize(source, &rules->format)) {
        command_say("%s: %s", rules->name,
                    source_peek(source) == SOURCE_END
                        ? "is empty"
                        : "is not recognized; say what it is with --from FORMAT");
        return false;
    }
    command_say("%s: recognized as %s", rules->name, import_format_name(rules->format));
    return true;
}

// Whether there is none yet, and one can be made.
static bool is_to_be_made(const char *directory)
{
    return mkdir(directory, S_IRWXU) == 0 && rmdir(directory) == 0;
}

static bool write_import(struct import *import, const char *directory, struct engine **engine)
{
    struct engine_fault fault = {""};
    if (!import_has_any(import)) {
        return true;
    }
    if (*engine == NULL && !open_for_writing(directory, engine)) {
        return false;
    }
    if (import_write(import, *engine, &fault) != ERR_OK) {
        command_say("%s", fault.text);
        return false;
    }
    return true;
}

// A store that is there is held from now on; one that is not is made when all has been read, so
// that an import which fails before leaves nothing behind.
static int import_from(struct source *source, const struct import_rules *rules,
                       const struct invocation *invocation)
{
    const char *const directory = invocation->operands[0];
    struct engine_fault fault = {""};
    struct import_report report;
    struct import *import = NULL;
    struct engine *engine = NULL;
    int status = STATUS_BROKEN;
    if (!is_to_be_made(directory) && !open_for_writing(directory, &engine)) {
        return STATUS_BROKEN;
    }
    if (import_read(source, rules, &import, &report, &fault) != ERR_OK) {
        command_say("%s", fault.text);
    } else if (write_import(import, directory, &engine)) {
        status = finish_import(&report, directory, invocation->values[IMPORT_STRICT] != NULL);
    }
    import_destroy(import);
    engine_close(engine);
    return status;
}

static int run_import(const struct invocation *invocation)
{
    const char *const path = operand(invocation, 1, "-");
    struct import_rules rules;
    if (!read_rules(invocation, &rules)) {
        return STATUS_BROKEN;
    }
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct source *const source = malloc(sizeof(*source));
    int status = STATUS_BROKEN;
    if (fd < 0 || source == NULL) {
        command_say("%s: %s", path, strerror(errno));
    } else {
        source_from(source, fd);
        if (settle_format(invocation, source, &rules)) {
            status = import_from(source, &rules, invocation);
        }
    }
    free(source);
    if (fd >= 0 && !standard) {
        (void)close(fd);
    }
    return status;
}

// ---- check

static void print_check(const struct export_report *report, size_t generations)
{
    const struct walk_report *const walk = &report->walk;
    (void)printf("format version      %d\n"
                 "addresses of record %" PRIu64 "\n"
                 "bindings            %" PRIu64 "\n"
                 "expired bindings    %" PRIu64 "\n"
                 "records             %" PRIu64 "\n"
                 "highest revision    %" PRIu64 "\n"
                 "bytes               %" PRIu64 "\n"
                 "blocks              %" PRIu64 "\n"
                 "generations         %zu\n"
                 "damaged blocks      %" PRIu64 "\n"
                 "damaged records     %" PRIu64 "\n"
                 "newer records       %" PRIu64 "\n",
                 RECORD_VERSION, report->aors, report->bindings, report->expired, walk->records,
                 walk->highest_revision, walk->bytes, walk->blocks, generations,
                 walk->damaged_blocks, walk->damaged_records, walk->newer_records);
}

// What a server makes of a store that is not whole.
static void say_what_to_do(const char *directory, bool salvaged)
{
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/') {
        len--; // "DIR/.old" would be in it
    }
    command_say("a running server works from memory: save its /bindings before it ends");
    if (!salvaged) {
        command_say("a server that starts serves the rest, and puts a copy of %s aside", directory);
        return;
    }
    command_say("no server starts from it; to have the rest in a new one, which the server's user "
                "is to own:");
    command_say("  signpostctl store export -o rest.jsonl %s", directory);
    command_say("  mv %s %.*s.old", directory, (int)len, directory);
    command_say("  signpostctl store import %s rest.jsonl", directory);
}

static int run_check(const struct invocation *invocation)
{
    const char *const directory = invocation->operands[0];
    struct engine_fault fault = {""};
    struct export_report report;
    struct engine *engine = NULL;
    bool salvaged;
    if (!open_for_reading(directory, &engine, &salvaged)) {
        return STATUS_BROKEN;
    }
    const enum err e = export_count(engine, clock_now().wall_ms, &report, &fault);
    const size_t generations = rocks_generations(engine);
    engine_close(engine);
    if (e != ERR_OK) {
        command_say("%s", fault.text);
        return STATUS_BROKEN;
    }
    print_check(&report, generations);
    const bool damaged = say_damage(&report.walk) || salvaged;
    (void)printf("%s\n", damaged ? "damaged" : "whole");
    if (damaged) {
        say_what_to_do(directory, salvaged);
    }
    return damaged ? STATUS_PARTLY : STATUS_OK;
}
