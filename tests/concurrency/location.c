// SPDX-License-Identifier: Apache-2.0
// The location table under threads that register, look up and expire the same addresses of record.
// Every REGISTER of a thread binds its two Contacts anew with the same generation, or removes both:
// whoever looks sees both of one generation, or neither.
#include "signpost/state/location.h"

#include <limits.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "signpost/sip/fields.h"

enum {
    ALARM_S = 200,
    REGISTRARS = 4,
    READERS = 2,
    AORS = 12,
    REGISTERS = 10000, // of each registrar
    LOOKUPS = 40000,   // of each reader
    GENERATION_NONE = 0,
    MEMORY_BYTES = 20000,
};

static struct location *location;
static _Atomic uint64_t clock_ms;
static _Atomic unsigned at_work;
static _Atomic uint64_t balance; // bindings made less bindings gone, as the calls have told

// What thread `t` has last told the table about an address of record; its own until it ends.
struct last {
    unsigned generation; // GENERATION_NONE when removed
    uint64_t expires_ms;
};

static struct last lasts[REGISTRARS][AORS];

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static struct now now(void)
{
    return (struct now){.mono_ms = atomic_load(&clock_ms)};
}

// "<prefix><a>.<b><suffix>"
struct text {
    char bytes[32];
    size_t len;
};

static struct text text_of(const char *prefix, unsigned a, unsigned b, const char *suffix)
{
    struct text text;
    struct buf out = buf_over(text.bytes, sizeof(text.bytes));
    buf_put(&out, slice_of(prefix, strlen(prefix)));
    buf_put_u64(&out, a);
    buf_put_char(&out, '.');
    buf_put_u64(&out, b);
    buf_put(&out, slice_of(suffix, strlen(suffix)));
    check(buf_ok(&out), "a text fits");
    text.len = out.len;
    return text;
}

static struct slice slice(const struct text *text)
{
    return slice_of(text->bytes, text->len);
}

// ---- What a list may hold

// Contacts are "sip:<thread>.<0 or 1>@h" with the parameter ";g=<generation>.<its expiry in s>".
struct seen {
    unsigned count;
    unsigned generation;
};

static void read_binding(const struct binding *binding, struct seen seen[static REGISTRARS])
{
    uint64_t thread = REGISTRARS;
    uint64_t generation = 0;
    const struct slice number = slice_from(binding->params, 3);
    check(slice_to_u64(slice_of(binding->uri.at + 4, 1), REGISTRARS - 1, &thread), "a Contact");
    check(slice_to_u64(slice_of(number.at, slice_find(number, '.')), UINT32_MAX, &generation),
          "a generation");
    struct seen *const pair = &seen[thread];
    check(pair->count == 0 || pair->generation == generation, "Contacts of one REGISTER together");
    pair->generation = (unsigned)generation;
    pair->count++;
}

// `exact`: nobody has gone by a later time than that of the list. Who has may have removed one
// Contact of a pair and be about to remove the other.
static void read_list(const struct binding_list *list, struct seen seen[static REGISTRARS],
                      bool exact)
{
    memset(seen, 0, REGISTRARS * sizeof(*seen));
    check(list->count <= (size_t)2 * REGISTRARS, "no Contact twice");
    for (size_t i = 0; i < list->count; i++) {
        check(list->rows[i].remaining_s > 0, "no expired binding");
        read_binding(&list->rows[i], seen);
    }
    for (unsigned t = 0; t < REGISTRARS && exact; t++) {
        check(seen[t].count == 0 || seen[t].count == 2, "both Contacts of a REGISTER or neither");
    }
}

// ---- The threads

// splitmix64
static unsigned pick(uint64_t *state, unsigned n)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

static void register_pair(unsigned t, unsigned a, unsigned generation, uint32_t expires_s)
{
    const struct now at = now();
    const struct text aor = text_of("user", a, 0, "@example.com");
    const struct text call_id = text_of("call", t, a, "");
    const struct text params = text_of(";g=", generation, expires_s, "");
    const struct text uris[2] = {text_of("sip:", t, 0, "@h"), text_of("sip:", t, 1, "@h")};
    struct contact_update updates[2];
    struct registration_effect effect;
    struct binding_list list;
    struct seen seen[REGISTRARS];
    for (unsigned i = 0; i < 2; i++) {
        updates[i] = (struct contact_update){
            .params = slice(&params), .q = Q_ABSENT, .expires_s = expires_s};
        check(uri_parse(slice(&uris[i]), &updates[i].uri) == ERR_OK, "a URI");
    }
    const struct registration r = {.aor = slice(&aor),
                                   .call_id = slice(&call_id),
                                   .cseq = generation,
                                   .request_id = (uint64_t)t << 32 | generation,
                                   .updates = updates,
                                   .update_count = 2};
    check(location_register(location, &r, at, &list, &effect) == ERR_OK, "location_register");
    atomic_fetch_add(&balance, effect.added);
    atomic_fetch_sub(&balance, (uint64_t)effect.removed + effect.expired);
    read_list(&list, seen, at.mono_ms == atomic_load(&clock_ms));
    check(seen[t].count == (expires_s > 0 ? 2 : 0), "the answer to a REGISTER has what it asks");
    check(expires_s == 0 || seen[t].generation == generation, "and in its latest state");
    lasts[t][a] = (struct last){expires_s > 0 ? generation : GENERATION_NONE,
                                at.mono_ms + (uint64_t)expires_s * MS_PER_S};
}

static void *keep_registering(void *arg)
{
    static const uint32_t expiries_s[] = {0, 1, 1, 2, 5, 4096, 5000, 100000};
    const unsigned t = *(const unsigned *)arg;
    uint64_t state = t;
    for (unsigned generation = 1; generation <= REGISTERS; generation++) {
        const uint32_t expires_s = expiries_s[pick(&state, 8)];
        register_pair(t, pick(&state, AORS), generation, expires_s);
        if (generation % 8 == 0) {
            atomic_fetch_add(&clock_ms, pick(&state, 400));
        }
        if (generation % 2000 == 0) {
            atomic_fetch_add(&clock_ms, 5000000); // more than a lap of the wheel
        }
    }
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

static void *keep_looking(void *arg)
{
    uint64_t state = 1000 + *(const unsigned *)arg;
    struct binding_list list;
    struct seen seen[REGISTRARS];
    for (unsigned n = 0; n < LOOKUPS; n++) {
        const struct text aor = text_of("user", pick(&state, AORS), 0, "@example.com");
        struct location_fetch fetch = location_fetch(location, slice(&aor));
        location_fetch_on(&fetch);
        location_fetch_on(&fetch);
        const struct now at = now();
        location_lookup(location, slice(&aor), at, &list);
        read_list(&list, seen, at.mono_ms == atomic_load(&clock_ms));
    }
    return NULL;
}

static size_t expire_all(void)
{
    size_t removed = 0;
    (void)location_expire(location, now(), UINT_MAX, &removed);
    return removed;
}

static void *keep_expiring(void *arg)
{
    (void)arg;
    while (atomic_load(&at_work) > 0) {
        atomic_fetch_sub(&balance, expire_all());
        const struct location_size size = location_size(location);
        check(size.aors <= AORS, "no more addresses of record than there are");
    }
    return NULL;
}

// ---- Afterwards

static void check_last_states(void)
{
    struct binding_list list;
    struct seen seen[REGISTRARS];
    uint64_t bindings = 0;
    // on to a whole second, when nothing expired is left in the table
    atomic_store(&clock_ms, (atomic_load(&clock_ms) + MS_PER_S - 1) / MS_PER_S * MS_PER_S);
    atomic_fetch_sub(&balance, expire_all());
    for (unsigned a = 0; a < AORS; a++) {
        const struct text aor = text_of("user", a, 0, "@example.com");
        location_lookup(location, slice(&aor), now(), &list);
        read_list(&list, seen, true);
        bindings += list.count;
        for (unsigned t = 0; t < REGISTRARS; t++) {
            const struct last *const last = &lasts[t][a];
            const bool bound =
                last->generation != GENERATION_NONE && last->expires_ms > now().mono_ms;
            check(seen[t].count == (bound ? 2 : 0), "bound is what was registered last");
            check(!bound || seen[t].generation == last->generation, "and as it was");
        }
    }
    check(location_size(location).bindings == bindings, "what is counted is what is there");
    check(atomic_load(&balance) == bindings, "and what the calls have told");
}

int main(void)
{
    // Less memory than is needed, so that both shards want the last of it, and then malloc's.
    static alignas(64) char memory[MEMORY_BYTES];
    const struct location_config config = {.shards = 2,
                                           .contacts_max = CONTACTS_PER_AOR_MAX,
                                           .bindings_max = 1000000,
                                           .memory = memory,
                                           .memory_bytes = sizeof(memory)};
    pthread_t registrars[REGISTRARS];
    pthread_t readers[READERS];
    pthread_t expirer;
    unsigned ids[REGISTRARS];
    (void)alarm(ALARM_S);
    location = location_create(&config);
    check(location != NULL, "location_create");
    atomic_store(&clock_ms, 1000000);
    atomic_store(&at_work, REGISTRARS);
    for (unsigned i = 0; i < REGISTRARS; i++) {
        ids[i] = i;
        check(pthread_create(&registrars[i], NULL, keep_registering, &ids[i]) == 0, "a thread");
    }
    for (unsigned i = 0; i < READERS; i++) {
        check(pthread_create(&readers[i], NULL, keep_looking, &ids[i]) == 0, "a thread");
    }
    check(pthread_create(&expirer, NULL, keep_expiring, NULL) == 0, "a thread");
    for (unsigned i = 0; i < REGISTRARS; i++) {
        check(pthread_join(registrars[i], NULL) == 0, "pthread_join");
    }
    for (unsigned i = 0; i < READERS; i++) {
        check(pthread_join(readers[i], NULL) == 0, "pthread_join");
    }
    check(pthread_join(expirer, NULL) == 0, "pthread_join");
    check_last_states();
    atomic_fetch_add(&clock_ms, UINT64_C(200000) * MS_PER_S);
    (void)expire_all();
    check(location_size(location).bindings == 0 && location_size(location).aors == 0,
          "everything expires in the end");
    location_destroy(location);
    (void)printf("%u REGISTERs, %u lookups\n", (unsigned)(REGISTRARS * REGISTERS),
                 (unsigned)(READERS * LOOKUPS));
    return EXIT_SUCCESS;
}
