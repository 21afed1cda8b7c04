// SPDX-License-Identifier: Apache-2.0

// Sends a server mutated SIP and STUN messages and sees to it that it goes on answering.
//
//     mangle HOST PORT COUNT SEED
//
// The same seed makes the same datagrams. After each batch an OPTIONS has to be answered; it is
// repeated, so that neither a lost datagram nor a slow machine counts as a failure. Whatever the
// server sends back has to be a SIP or STUN response. Exit status 0 when all was well,
// 1 when not, 2 for a bad command line.
//
// All messages are about the users u0 to u63, which nobody else should be. They come from an
// address of their own, as a mutated Via may send an answer to any port of that address.

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCE_ADDRESS "127.66.66.66"

enum {
    DATAGRAM_BYTES_MAX = 65507,
    BATCH = 32,
    MUTATIONS_MAX = 4,
    USERS = 64,
    LINES_MAX = 2000,
    PING_TRIES = 30,
    PING_WAIT_MS = 2000,
    STATUS_MAX = 699,
    STUN_HEADER_BYTES = 20,
};

struct datagram {
    size_t len;
    char bytes[DATAGRAM_BYTES_MAX];
};

// ---- Randomness (xorshift64*)

struct rng {
    uint64_t state; // never 0
};

static uint64_t rng_next(struct rng *rng)
{
    rng->state ^= rng->state >> 12;
    rng->state ^= rng->state << 25;
    rng->state ^= rng->state >> 27;
    return rng->state * UINT64_C(2685821657736338717);
}

// 0 .. n-1; 0 for n = 0.
static size_t rng_below(struct rng *rng, size_t n)
{
    return n == 0 ? 0 : (size_t)((rng_next(rng) >> 16) % n);
}

// ---- Base messages

// {u} is a user, {i} a number never used before, {h} the server, {p} our own port.
#define VIA  "Via: SIP/2.0/UDP " SOURCE_ADDRESS ":{p};rport;branch=z9hG4bK{i}\r\n"
#define REST "From: <sip:{u}@{h}>;tag=f{i}\r\nCall-ID: c{i}@mangle\r\nMax-Forwards: 70\r\n"
#define TO   "To: <sip:{u}@{h}>\r\n"
#define END  "Content-Length: 0\r\n\r\n"

static const char *const bases[] = {
    "REGISTER sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 1 REGISTER\r\n"
    "Contact: <sip:{u}@192.0.2.1:5060>;expires=600\r\n" END,
    "REGISTER sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 2 REGISTER\r\nExpires: 3600\r\n"
    "Contact: \"A \\\" B\" <sip:{u}@192.0.2.1;transport=udp>;q=0.7, "
    "<sip:{u}@[2001:db8::1]>;q=0.1\r\n"
    "Contact: sip:{u}@host.example.com:5070;expires=120\r\nAllow: INVITE, ACK, BYE\r\n" END,
    "REGISTER sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 3 REGISTER\r\nExpires: 0\r\n"
    "Contact: *\r\n" END,
    "REGISTER sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 4 REGISTER\r\n" END,
    "REGISTER sip:{h} SIP/2.0\r\nv: SIP/2.0/UDP [2001:db8::9]:{p};branch=z9hG4bK{i};rport,\r\n"
    " SIP / 2.0 / TCP gw.example.com;branch=z9hG4bKx;received=192.0.2.9\r\n"
    "f: \"Mr. \\\\ %41\" <sip:{u}@{h};user=phone>;tag=1\r\nt: <sip:%75{u}@{h}>\r\ni: {i}\r\n"
    "CSeq:\r\n 5\r\n\tREGISTER\r\nm: <sip:{u}@192.0.2.2?X=Y&Z=%20>;expires=99 , <sips:a@b>\r\n"
    "l: 0\r\n\r\n",
    "INVITE sip:{u}@{h} SIP/2.0\r\n" VIA REST TO "CSeq: 1 INVITE\r\n"
    "Contact: <sip:caller@192.0.2.7>\r\nContent-Type: application/sdp\r\nContent-Length: 92\r\n\r\n"
    "v=0\r\no=c 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 9 RTP/AVP "
    "0\r\n",
    "INVITE sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 1 INVITE\r\nRequire: 100rel\r\n" END,
    "INVITE tel:+1-201-555-0123;phone-context=x SIP/2.0\r\n" VIA REST TO "CSeq: 1 INVITE\r\n" END,
    "OPTIONS sip:{h} SIP/2.0\r\n" VIA REST "To: <sip:{h}>\r\nCSeq: 7 OPTIONS\r\n" END,
    "CANCEL sip:{u}@{h} SIP/2.0\r\n" VIA REST TO "CSeq: 1 CANCEL\r\n" END,
    "ACK sip:{u}@{h} SIP/2.0\r\n" VIA REST "To: <sip:{u}@{h}>;tag=t\r\nCSeq: 1 ACK\r\n" END,
    "BYE sip:{u}@{h} SIP/2.0\r\n" VIA REST "To: <sip:{u}@{h}>;tag=t\r\nCSeq: 2 BYE\r\n" END,
    "MESSAGE sip:{h} SIP/2.0\r\n" VIA REST TO "CSeq: 3 MESSAGE\r\nContent-Length: 5\r\n\r\nhello",
    "FROBNICATE sip:{u}@{h} SIP/2.0\r\n" VIA REST TO "CSeq: 4 FROBNICATE\r\n" END,
    "SIP/2.0 200 OK\r\n" VIA REST "To: <sip:{u}@{h}>;tag=t\r\nCSeq: 1 INVITE\r\n" END,
    "SIP/2.0 302 Moved Temporarily\r\n" VIA REST "To: <sip:{u}@{h}>;tag=t\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:x@192.0.2.3>\r\n" END,
    "\r\n\r\n",
};

static const unsigned char stun_request[] = {
    0x00, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42, 't', 'r', 'a', 'n', 's', 'a', 'c', 't',
    'i',  'o',  'n',  '0',  0x80, 0x22, 0x00, 0x08, 'm', 'a', 'n', 'g', 'l', 'e', 'r', 0x00,
};

enum { BASES = sizeof(bases) / sizeof(bases[0]) };

struct source {
    struct rng rng;
    uint64_t unique;
    uint16_t own_port;
    char server[64]; // host:port as it stands in URIs
};

static void append(struct datagram *d, const char *bytes, size_t len)
{
    const size_t room = sizeof(d->bytes) - d->len;
    const size_t taken = len < room ? len : room;
    memcpy(d->bytes + d->len, bytes, taken);
    d->len += taken;
}

static void append_text(struct datagram *d, const char *text)
{
    append(d, text, strlen(text));
}

static void put_base(struct source *s, struct datagram *d)
{
    const size_t which = rng_below(&s->rng, BASES + 1);
    const size_t user = rng_below(&s->rng, USERS);
    char field[32];
    d->len = 0;
    s->unique++;
    if (which == BASES) {
        memcpy(d->bytes, stun_request, sizeof(stun_request));
        d->len = sizeof(stun_request);
        return;
    }
    for (const char *at = bases[which]; *at != '\0'; at++) {
        if (at[0] != '{') {
            append(d, at, 1);
            continue;
        }
        switch (at[1]) {
        case 'u': (void)snprintf(field, sizeof(field), "u%zu", user); break;
        case 'i': (void)snprintf(field, sizeof(field), "%" PRIu64, s->unique); break;
        case 'p': (void)snprintf(field, sizeof(field), "%" PRIu16, s->own_port); break;
        default: field[0] = '\0'; append_text(d, s->server);
        }
        append_text(d, field);
        at += 2;
    }
}

// ---- Mutations

typedef void mutate_fn(struct source *s, struct datagram *d);

// Puts `len` bytes at `at`, moving the rest; what no longer fits is cut.
static void insert(struct datagram *d, size_t at, const char *bytes, size_t len)
{
    assert(at <= d->len);
    const size_t room = sizeof(d->bytes) - at;
    const size_t taken = len < room ? len : room;
    const size_t tail = d->len - at;
    const size_t kept = tail < room - taken ? tail : room - taken;
    memmove(d->bytes + at + taken, d->bytes + at, kept);
    memcpy(d->bytes + at, bytes, taken);
    d->len = at + taken + kept;
}

static void cut_out(struct datagram *d, size_t from, size_t to)
{
    assert(from <= to && to <= d->len);
    memmove(d->bytes + from, d->bytes + to, d->len - to);
    d->len -= to - from;
}

struct span {
    size_t from;
    size_t to;
};

// Any line with its line end; empty when there is none.
static struct span random_line(struct source *s, const struct datagram *d)
{
    size_t starts[LINES_MAX + 1] = {0};
    size_t lines = 0;
    for (size_t i = 0; i < d->len && lines < LINES_MAX; i++) {
        if (d->bytes[i] == '\n') {
            starts[++lines] = i + 1;
        }
    }
    const size_t line = rng_below(&s->rng, lines);
    return (struct span){starts[line], lines == 0 ? 0 : starts[line + 1]};
}

static void truncate_anywhere(struct source *s, struct datagram *d)
{
    d->len = rng_below(&s->rng, d->len + 1);
}

static void flip_bits(struct source *s, struct datagram *d)
{
    const size_t flips = 1 + rng_below(&s->rng, 16);
    for (size_t i = 0; i < flips && d->len > 0; i++) {
        char *const byte = &d->bytes[rng_below(&s->rng, d->len)];
        *byte = (char)((unsigned char)*byte ^ (1U << rng_below(&s->rng, 8)));
    }
}

static void overwrite_with_noise(struct source *s, struct datagram *d)
{
    size_t at = rng_below(&s->rng, d->len);
    for (size_t n = rng_below(&s->rng, 40); n > 0 && at < d->len; n--) {
        d->bytes[at++] = (char)rng_below(&s->rng, 256);
    }
}

static void insert_nuls(struct source *s, struct datagram *d)
{
    static const char nuls[16] = {0};
    insert(d, rng_below(&s->rng, d->len + 1), nuls, 1 + rng_below(&s->rng, sizeof(nuls)));
}

static void repeat_line(struct source *s, struct datagram *d)
{
    static struct datagram line;
    const struct span span = random_line(s, d);
    const size_t times = rng_below(&s->rng, 4) == 0 ? rng_below(&s->rng, 300) : 1;
    line.len = span.to - span.from;
    memcpy(line.bytes, d->bytes + span.from, line.len);
    for (size_t i = 0; i < times && d->len + line.len < sizeof(d->bytes); i++) {
        insert(d, span.from, line.bytes, line.len);
    }
}

static void remove_line(struct source *s, struct datagram *d)
{
    const struct span span = random_line(s, d);
    cut_out(d, span.from, span.to);
}

static void move_line(struct source *s, struct datagram *d)
{
    static struct datagram line;
    const struct span span = random_line(s, d);
    line.len = span.to - span.from;
    memcpy(line.bytes, d->bytes + span.from, line.len);
    cut_out(d, span.from, span.to);
    insert(d, random_line(s, d).from, line.bytes, line.len);
}

static void make_line_long(struct source *s, struct datagram *d)
{
    static char filling[DATAGRAM_BYTES_MAX];
    static const char fillings[] = "a0 \t,;<\"%\\@:\r\x80\xff";
    const size_t len = rng_below(&s->rng, 8) == 0 ? sizeof(filling) : rng_below(&s->rng, 9000);
    memset(filling, fillings[rng_below(&s->rng, sizeof(fillings))], len);
    insert(d, rng_below(&s->rng, d->len + 1), filling, len);
}

static void change_number(struct source *s, struct datagram *d)
{
    static const char *const numbers[] = {
        "0",
        "-1",
        "00000000000000007",
        "65535",
        "65536",
        "2147483648",
        "4294967295",
        "4294967296",
        "1e9",
        "0x10",
        "18446744073709551615",
        "18446744073709551616",
        "0.00000001",
        "",
        "999999999999999999999999999999999999999999999999999999999",
    };
    const size_t start = rng_below(&s->rng, d->len);
    for (size_t from = start; from < d->len; from++) {
        size_t to = from;
        while (to < d->len && d->bytes[to] >= '0' && d->bytes[to] <= '9') {
            to++;
        }
        if (to > from) {
            const size_t which = rng_below(&s->rng, sizeof(numbers) / sizeof(numbers[0]));
            cut_out(d, from, to);
            insert(d, from, numbers[which], strlen(numbers[which]));
            return;
        }
    }
}

static void splice_with_another(struct source *s, struct datagram *d)
{
    static struct datagram other;
    put_base(s, &other);
    const size_t from = rng_below(&s->rng, other.len + 1);
    if (rng_below(&s->rng, 2) == 0) {
        d->len = rng_below(&s->rng, d->len + 1);
        append(d, other.bytes + from, other.len - from);
    } else {
        const size_t len = rng_below(&s->rng, other.len - from + 1);
        insert(d, rng_below(&s->rng, d->len + 1), other.bytes + from, len);
    }
}

static void insert_words(struct source *s, struct datagram *d)
{
    static const char *const words[] = {
        "\"",
        "<",
        ">",
        "\\",
        ";",
        ",",
        "%",
        "%00",
        "%zz",
        "\r\n ",
        "\r",
        "\n",
        "\r\n\r\n",
        "*",
        "@",
        "[",
        "]",
        "[::1]",
        ":",
        "?",
        "=",
        "&",
        "sip:",
        "sips:",
        "tel:",
        ";expires=",
        ";expires=0",
        ";q=",
        ";q=1.0000",
        ";branch=",
        ";rport",
        ";rport=1",
        ";received=",
        ";tag=",
        ";tag",
        ";lr",
        "Contact: *\r\n",
        "Contact:\r\n",
        "Expires: 0\r\n",
        "CSeq: 1 REGISTER\r\n",
        "To: \r\n",
        "Content-Length: 70000\r\n",
        "Require: a,b,,c\r\n",
        "SIP/2.0",
        "\xef\xbb\xbf",
        "\xc0\x80",
    };
    for (size_t n = 1 + rng_below(&s->rng, 5); n > 0; n--) {
        const char *const word = words[rng_below(&s->rng, sizeof(words) / sizeof(words[0]))];
        insert(d, rng_below(&s->rng, d->len + 1), word, strlen(word));
    }
}

static void remove_bytes(struct source *s, struct datagram *d)
{
    const size_t from = rng_below(&s->rng, d->len + 1);
    const size_t room = d->len - from;
    const size_t len = 1 + rng_below(&s->rng, 30);
    cut_out(d, from, from + (len < room ? len : room));
}

static void replace_with_noise(struct source *s, struct datagram *d)
{
    d->len = rng_below(&s->rng, 2000);
    for (size_t i = 0; i < d->len; i++) {
        d->bytes[i] = (char)rng_below(&s->rng, 256);
    }
}

static mutate_fn *const mutations[] = {
    truncate_anywhere,   flip_bits,    overwrite_with_noise, insert_nuls,   repeat_line,
    remove_line,         move_line,    make_line_long,       change_number, change_number,
    splice_with_another, insert_words, insert_words,         remove_bytes,  replace_with_noise,
};

static void put_mutant(struct source *s, struct datagram *d)
{
    put_base(s, d);
    for (size_t n = rng_below(&s->rng, MUTATIONS_MAX + 1); n > 0; n--) {
        mutations[rng_below(&s->rng, sizeof(mutations) / sizeof(mutations[0]))](s, d);
    }
}

// ---- Talking to the server

struct run {
    struct source source;
    int mutants_fd;
    int pings_fd;
    uint64_t sent;
    uint64_t pings;
    uint64_t answers;
    uint64_t by_status[STATUS_MAX + 1]; // [0]: STUN
};

// Status of a response, 0 for a STUN success or error, -1 for anything else.
static int classify(const char *bytes, size_t len)
{
    static const char tail[] = "\r\nContent-Length: 0\r\n\r\n";
    const size_t tail_len = sizeof(tail) - 1;
    if (len >= STUN_HEADER_BYTES && bytes[0] == 1 && (bytes[1] == 0x01 || bytes[1] == 0x11)) {
        return 0;
    }
    if (len < 12 + tail_len || memcmp(bytes, "SIP/2.0 ", 8) != 0 ||
        memcmp(bytes + len - tail_len, tail, tail_len) != 0) {
        return -1;
    }
    const char digits[] = {bytes[8], bytes[9], bytes[10], '\0'};
    char *end = NULL;
    const long status = strtol(digits, &end, 10);
    return *end == '\0' && status >= 200 && status <= STATUS_MAX ? (int)status : -1;
}

static bool report_dead(const struct run *run, const char *what)
{
    (void)fprintf(stderr, "mangle: %s after %" PRIu64 " datagrams: %s\n", what, run->sent,
                  strerror(errno));
    return false;
}

// Looks at all that has come back so far.
static bool take_answers(struct run *run)
{
    static char bytes[DATAGRAM_BYTES_MAX + 1];
    for (;;) {
        const ssize_t len = recv(run->mutants_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (len < 0) {
            return errno == EAGAIN || report_dead(run, "the server has gone");
        }
        const int status = classify(bytes, (size_t)len);
        if (status < 0) {
            (void)fprintf(stderr, "mangle: neither a SIP nor a STUN response came back:\n");
            (void)fwrite(bytes, 1, (size_t)len, stderr);
            return false;
        }
        run->answers++;
        run->by_status[status]++;
    }
}

static bool send_batch(struct run *run, uint64_t count)
{
    static struct datagram d;
    for (uint64_t i = 0; i < count; i++) {
        put_mutant(&run->source, &d);
        if (send(run->mutants_fd, d.bytes, d.len, 0) < 0) {
            return report_dead(run, "the server has gone");
        }
        run->sent++;
    }
    return take_answers(run);
}

// One OPTIONS, as often as it takes to get it answered.
static bool ping(struct run *run)
{
    static char answer[DATAGRAM_BYTES_MAX + 1];
    char request[512];
    char branch[32];
    run->pings++;
    (void)snprintf(branch, sizeof(branch), "branch=z9hG4bKp%" PRIu64 ";", run->pings);
    const int len = snprintf(request, sizeof(request),
                             "OPTIONS sip:%s SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP " SOURCE_ADDRESS ":9;%srport\r\n"
                             "From: <sip:ping@mangle>;tag=1\r\nTo: <sip:%s>\r\n"
                             "Call-ID: %" PRIu64 "@ping\r\nCSeq: 1 OPTIONS\r\n"
                             "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                             run->source.server, branch, run->source.server, run->pings);
    assert(len > 0 && (size_t)len < sizeof(request));
    for (int i = 0; i < PING_TRIES; i++) {
        if (send(run->pings_fd, request, (size_t)len, 0) < 0) {
            return report_dead(run, "the server has gone");
        }
        struct pollfd waiting = {.fd = run->pings_fd, .events = POLLIN};
        while (poll(&waiting, 1, PING_WAIT_MS) > 0) {
            const ssize_t got = recv(run->pings_fd, answer, sizeof(answer) - 1, 0);
            if (got < 0) {
                return report_dead(run, "the server has gone");
            }
            answer[got] = '\0';
            if (strstr(answer, branch) != NULL) {
                return strncmp(answer, "SIP/2.0 200 ", 12) == 0 || report_dead(run, "no 200");
            }
        }
    }
    errno = ETIMEDOUT;
    return report_dead(run, "no answer");
}

static bool run_all(struct run *run, uint64_t count)
{
    for (uint64_t sent = 0; sent < count; sent += BATCH) {
        const uint64_t left = count - sent;
        if (!send_batch(run, left < BATCH ? left : BATCH) || !ping(run)) {
            return false;
        }
    }
    return take_answers(run);
}

static void print_result(const struct run *run, uint64_t seed)
{
    (void)printf("mangle: seed %" PRIu64 ": %" PRIu64 " datagrams, %" PRIu64 " pings, %" PRIu64
                 " answers:",
                 seed, run->sent, run->pings, run->answers);
    for (int status = 0; status <= STATUS_MAX; status++) {
        if (run->by_status[status] != 0) {
            (void)printf(" %d: %" PRIu64, status, run->by_status[status]);
        }
    }
    (void)printf("\n");
}

// ---- Start

static int open_socket(const struct sockaddr_in *server, uint16_t *own_port)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof(own);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton(AF_INET, SOURCE_ADDRESS, &own.sin_addr) != 1 ||
        bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
        connect(fd, (const struct sockaddr *)server, sizeof(*server)) != 0 ||
        getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        perror("mangle: socket");
        exit(EXIT_FAILURE);
    }
    *own_port = ntohs(own.sin_port);
    return fd;
}

static uint64_t number(const char *text, uint64_t max)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value == 0 || value > max) {
        (void)fprintf(stderr, "mangle: %s: expected a number from 1 to %" PRIu64 "\n", text, max);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static struct run run;
    struct sockaddr_in server = {.sin_family = AF_INET};
    if (argc != 5 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1) {
        (void)fputs("usage: mangle IPV4-ADDRESS PORT COUNT SEED\n", stderr);
        return 2;
    }
    server.sin_port = htons((uint16_t)number(argv[2], UINT16_MAX));
    const uint64_t count = number(argv[3], UINT32_MAX);
    const uint64_t seed = number(argv[4], UINT64_MAX);
    uint16_t ping_port;
    run.source.rng.state = seed;
    (void)snprintf(run.source.server, sizeof(run.source.server), "%s:%s", argv[1], argv[2]);
    run.mutants_fd = open_socket(&server, &run.source.own_port);
    run.pings_fd = open_socket(&server, &ping_port);
    (void)printf("mangle: seed %" PRIu64 "\n", seed);
    (void)fflush(stdout);
    const bool well = run_all(&run, count);
    print_result(&run, seed);
    (void)close(run.mutants_fd);
    (void)close(run.pings_fd);
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
