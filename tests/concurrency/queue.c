// SPDX-License-Identifier: Apache-2.0
// The queue between its producer and its consumer: every entry comes out once, whole and in order,
// and what is told stays as it is until it is released. An entry that is lost shows as a hang,
// which the alarm ends.
#include "store/queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ALARM_S = 200,
    ENTRIES = 2000000,
    WORDS_MAX = 48,
    GROUP_MAX = 9, // entries told before they are released
};

// An entry: its number, the sum of its words, its words, and some bytes more that make its length
// an odd one.
struct head {
    uint64_t number;
    uint64_t sum;
};

struct stage {
    struct queue *queue;
    size_t words_max;
};

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

// xorshift64*: what an entry is made of follows from its number.
static uint64_t next_word(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t words_of(uint64_t number, size_t words_max)
{
    uint64_t random = number + 1;
    const size_t few = words_max < 3 ? words_max : 3;
    return number % ((next_word(&random) >> 32 & 1 ? few : words_max) + 1);
}

static size_t bytes_of(uint64_t number, size_t words_max)
{
    return sizeof(struct head) + words_of(number, words_max) * sizeof(uint64_t) + number % 8;
}

static void write_entry(char *at, uint64_t number, size_t words_max)
{
    struct head head = {.number = number};
    uint64_t random = number + 1;
    const size_t words = words_of(number, words_max);
    for (size_t i = 0; i < words; i++) {
        const uint64_t word = next_word(&random);
        memcpy(at + sizeof(head) + i * sizeof(word), &word, sizeof(word));
        head.sum += word;
    }
    memset(at + sizeof(head) + words * sizeof(uint64_t), (int)number & 0xff, number % 8);
    memcpy(at, &head, sizeof(head));
}

static void check_entry(struct slice entry, uint64_t number, size_t words_max)
{
    struct head head;
    check(entry.len == bytes_of(number, words_max), "an entry has its length");
    memcpy(&head, entry.at, sizeof(head));
    check(head.number == number, "entries come in order");
    const size_t words = words_of(number, words_max);
    uint64_t sum = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, entry.at + sizeof(head) + i * sizeof(word), sizeof(word));
        sum += word;
    }
    check(head.sum == sum, "an entry is whole");
    for (size_t i = entry.len - number % 8; i < entry.len; i++) {
        check((unsigned char)entry.at[i] == (number & 0xff), "an entry is whole to its last byte");
    }
}

// Reserves now and then more than it publishes, and now and then nothing comes of it.
static void *produce(void *arg)
{
    const struct stage *const stage = arg;
    const size_t longest = sizeof(struct head) + stage->words_max * sizeof(uint64_t) + 7;
    for (uint64_t number = 0; number < ENTRIES;) {
        const size_t bytes = bytes_of(number, stage->words_max);
        if (number % 64 == 0) {
            (void)queue_reserve(stage->queue, longest);
        }
        char *const at = queue_reserve(stage->queue, number % 3 == 0 ? longest : bytes);
        if (at == NULL) {
            (void)sched_yield();
            continue;
        }
        write_entry(at, number, stage->words_max);
        queue_publish(stage->queue, bytes);
        number++;
    }
    return NULL;
}

// Takes groups of changing size, and looks at each once more before it gives them back.
static void consume(const struct stage *stage)
{
    struct slice group[GROUP_MAX];
    for (uint64_t number = 0; number < ENTRIES;) {
        const size_t want = 1 + number % GROUP_MAX;
        size_t count = 0;
        while (count < want && queue_next(stage->queue, &group[count])) {
            check_entry(group[count], number + count, stage->words_max);
            count++;
        }
        if (count == 0) {
            (void)sched_yield();
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            check_entry(group[i], number + i, stage->words_max);
        }
        queue_release(stage->queue);
        number += count;
    }
}

static void every_entry_comes_out_once_and_in_order(size_t bytes, size_t words_max)
{
    struct stage stage = {.queue = queue_create(bytes), .words_max = words_max};
    pthread_t producer;
    struct slice none;
    check(stage.queue != NULL, "queue_create");
    check(pthread_create(&producer, NULL, produce, &stage) == 0, "pthread_create");
    consume(&stage);
    check(pthread_join(producer, NULL) == 0, "pthread_join");
    check(!queue_next(stage.queue, &none), "nothing comes after the last one");
    check(queue_bytes(stage.queue) == 0, "the queue is empty at the end");
    queue_destroy(stage.queue);
}

int main(void)
{
    (void)alarm(ALARM_S);
    every_entry_comes_out_once_and_in_order(65536, WORDS_MAX);
    every_entry_comes_out_once_and_in_order(2048, WORDS_MAX); // always full, or nearly
    every_entry_comes_out_once_and_in_order(128, 1);
    (void)printf("%u entries, three times\n", (unsigned)ENTRIES);
    return EXIT_SUCCESS;
}
