// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/network.h"

void network_start(struct network *net, const struct network_quality *quality, struct rng *rng)
{
    net->quality = *quality;
    net->rng = rng;
    net->order = 0;
    net->count = 0;
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
    const struct event c = *a;
    *a = *b;
    *b = c;
}

void network_schedule(struct network *net, uint64_t at_ms, enum event_kind kind, unsigned request)
{
    if (net->count == NETWORK_EVENTS_MAX) {
        return;
    }
    unsigned i = net->count++;
    net->heap[i] = (struct event){at_ms, net->order++, kind, request};
    for (; i > 0 && before(&net->heap[i], &net->heap[(i - 1) / 2]); i = (i - 1) / 2) {
        swap(&net->heap[i], &net->heap[(i - 1) / 2]);
    }
}

void network_send(struct network *net, uint64_t now_ms, enum event_kind kind, unsigned request)
{
    const struct network_quality *const quality = &net->quality;
    const unsigned copies = rng_chance(net->rng, quality->copies_percent) ? 2 : 1;
    for (unsigned i = 0; i < copies; i++) {
        // Most are fast, and the slow ones are overtaken.
        const unsigned max =
            rng_chance(net->rng, 70) ? quality->delay_ms_max / 16 : quality->delay_ms_max;
        const uint64_t at_ms = now_ms + rng_below(net->rng, max + 1);
        if (!rng_chance(net->rng, quality->loss_percent)) {
            network_schedule(net, at_ms, kind, request);
        }
    }
}

bool network_next(struct network *net, struct event *event)
{
    if (net->count == 0) {
        return false;
    }
    *event = net->heap[0];
    net->heap[0] = net->heap[--net->count];
    unsigned i = 0;
    for (;;) {
        unsigned least = i;
        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < net->count; child++) {
            least = before(&net->heap[child], &net->heap[least]) ? child : least;
        }
        if (least == i) {
            return true;
        }
        swap(&net->heap[i], &net->heap[least]);
        i = least;
    }
}
