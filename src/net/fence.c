// SPDX-License-Identifier: Apache-2.0
#include "net/fence.h"

#include <sys/socket.h>

enum {
    VERSION_MASK = 0xf0,
    VERSION_4 = 0x40,
    VERSION_6 = 0x60,
    SOURCE_4_AT = 12, // in the IP header
    SOURCE_6_AT = 8,
    ALL_BYTES = 0x40000, // more than a datagram has
};

struct program {
    struct sock_filter *at;
    unsigned len;
};

static void add(struct program *program, unsigned code, uint32_t k)
{
    assert(program->len < FENCE_PROGRAM_MAX);
    program->at[program->len++] = (struct sock_filter){.code = (uint16_t)code, .k = k};
}

// Goes on when what is loaded equals k, and else skips so many instructions.
static void unless_equal_skip(struct program *program, uint32_t k, unsigned skip)
{
    add(program, BPF_JMP | BPF_JEQ | BPF_K, k);
    program->at[program->len - 1].jf = (uint8_t)skip;
}

// A socket's filter sees the UDP header first; the IP header is found at an offset of its own.
static void load_of_ip(struct program *program, unsigned size, int at)
{
    add(program, BPF_LD | size | BPF_ABS, (uint32_t)(SKF_NET_OFF + at));
}

static uint32_t word_of(const struct ip *ip, unsigned i)
{
    const uint8_t *const b = ip->bytes + i * sizeof(uint32_t);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// A random number that is a multiple of 2^height lets the datagram through.
static void add_fence(struct program *program, const struct fence *fence)
{
    const bool v6 = fence->source.family == IP_V6;
    const unsigned words = v6 ? 2 : 1;
    const unsigned verdict = 5; // instructions at the end, for this source alone
    load_of_ip(program, BPF_B, 0);
    add(program, BPF_ALU | BPF_AND | BPF_K, VERSION_MASK);
    unless_equal_skip(program, v6 ? VERSION_6 : VERSION_4, words * 2 + verdict);
    for (unsigned i = 0; i < words; i++) {
        load_of_ip(program, BPF_W, (v6 ? SOURCE_6_AT : SOURCE_4_AT) + (int)(i * sizeof(uint32_t)));
        unless_equal_skip(program, word_of(&fence->source, i), (words - 1 - i) * 2 + verdict);
    }
    add(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
    add(program, BPF_ALU | BPF_AND | BPF_K, (1U << fence->height) - 1);
    unless_equal_skip(program, 0, 1);
    add(program, BPF_RET | BPF_K, ALL_BYTES);
    add(program, BPF_RET | BPF_K, 0);
}

unsigned fence_program(const struct fence *fences, unsigned count,
                       struct sock_filter out[FENCE_PROGRAM_MAX])
{
    struct program program = {.at = out};
    assert(count <= FENCES_MAX);
    for (unsigned i = 0; i < count; i++) {
        assert(fences[i].height > 0 && fences[i].height <= FENCE_HEIGHT_MAX);
        add_fence(&program, &fences[i]);
    }
    add(&program, BPF_RET | BPF_K, ALL_BYTES);
    return program.len;
}

static void remove_all(const struct udp_socket *socket)
{
    const int unused = 0;
    (void)setsockopt(socket->fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

enum err fence_put(const struct udp_socket *socket, const struct fence *fences, unsigned count)
{
    struct sock_filter filter[FENCE_PROGRAM_MAX];
    if (count == 0) {
        remove_all(socket);
        return ERR_OK;
    }
    const struct sock_fprog program = {.len = (unsigned short)fence_program(fences, count, filter),
                                       .filter = filter};
    if (setsockopt(socket->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
        remove_all(socket);
        return ERR_SYSTEM;
    }
    return ERR_OK;
}
