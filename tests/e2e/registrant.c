// SPDX-License-Identifier: Apache-2.0

// Registers many users as fast as the server lets it, and writes down who was told what and when.
//
//     registrant HOST PORT USERS WINDOW SEED JOURNAL
//
// Reads commands, a line each. "go": begins a new journal, sends once more what is still
// unanswered, and keeps WINDOW users busy. "stop": sends nothing more, takes the answers that have
// already come, ends the journal and says "stopped" on standard output. The end of the input ends
// the program.
//
// A user has CONTACTS Contacts, sip:C@192.0.2.1, and one request on its way at a time, whose CSeq
// is one higher than that of the one before. The journal has a line for each request that was
// answered, and at its end for each that was not (status and time are 0 then):
//
//     USER CSEQ PUT DROP STATUS TIME
//
// PUT and DROP have a bit for each Contact that is added or refreshed, and removed; both 0 is
// "Contact: *". TIME is when the kernel took the answer in, in microseconds since 1970.
//
// Exit status 0 when all was well, 1 when not, 2 for a bad command line.

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONTACTS = 5,
    USERS_MAX = 1000000,
    WINDOW_MAX = 4096,
    REQUEST_BYTES_MAX = 2048,
    ANSWER_BYTES_MAX = 65536,
    BUFFER_BYTES = 8 << 20,
    ARGUMENTS = 7,
    POLL_MS = 100,
    // Far later than a phone: an answer that is lost for good is all that this is for.
    RETRANSMIT_US = 15000000,
    US_PER_S = 1000000,
    NS_PER_US = 1000,
    OK = 200,
    DECIMAL = 10,
};

struct user {
    uint32_t cseq;
    uint8_t bound; // as far as is known: a bit for each Contact
    uint8_t put;   // of the latest request
    uint8_t drop;
    bool waits; // for its answer
};

struct place { // in the window
    uint32_t user;
    uint64_t sent_us;
};

struct registrant {
    struct sockaddr_in server;
    int socket;
    uint32_t user_count;
    uint32_t window;
    uint32_t waiting; // places that are taken, the first ones
    uint64_t random;  // xorshift64*, never 0
    bool going;
    const char *journal_path;
    FILE *journal;
    struct user *users;
    struct place *places;
};

static uint64_t draw(struct registrant *r, uint64_t n)
{
    r->random ^= r->random >> 12;
    r->random ^= r->random << 25;
    r->random ^= r->random >> 27;
    return r->random * UINT64_C(2685821657736338717) % n;
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / NS_PER_US;
}

// ---- Requests

static int put_contacts(const struct user *user, char *at, size_t bytes)
{
    size_t len = 0;
    if (user->put == 0 && user->drop == 0) {
        return snprintf(at, bytes, "Contact: *\r\nExpires: 0\r\n");
    }
    for (unsigned c = 0; c < CONTACTS; c++) {
        if (((user->put | user->drop) >> c & 1) != 0) {
            len += (size_t)snprintf(at + len, bytes - len,
                                    "Contact: <sip:%u@192.0.2.1>;expires=%s\r\n", c,
                                    (user->put >> c & 1) != 0 ? "3600" : "0");
        }
    }
    return (int)len;
}

// The same bytes each time.
static void send_request(const struct registrant *r, uint32_t number)
{
    const struct user *const user = &r->users[number];
    char request[REQUEST_BYTES_MAX];
    char contacts[REQUEST_BYTES_MAX / 2];
    (void)put_contacts(user, contacts, sizeof(contacts));
    const int len =
        snprintf(request, sizeof(request),
                 "REGISTER sip:kill.test SIP/2.0\r\n"
                 "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK-%u-%u\r\n"
                 "Max-Forwards: 70\r\n"
                 "From: <sip:u%u@kill.test>;tag=%u\r\n"
                 "To: <sip:u%u@kill.test>\r\n"
                 "Call-ID: u%u@registrant\r\n"
                 "CSeq: %u REGISTER\r\n"
                 "%s"
                 "Content-Length: 0\r\n\r\n",
                 number, user->cseq, number, user->cseq, number, number, user->cseq, contacts);
    // What the kernel does not take now is sent again later.
    (void)!sendto(r->socket, request, (size_t)len, 0, (const struct sockaddr *)&r->server,
                  sizeof(r->server));
}

// Now and then everything goes, at once or by name; mostly Contacts come and are refreshed.
static void choose(struct registrant *r, struct user *user)
{
    enum { STAR_IN = 20, SEVERAL_IN = 4, DROP_IN = 3 };

    user->put = 0;
    user->drop = 0;
    if (user->bound != 0 && draw(r, STAR_IN) == 0) {
        return;
    }
    const uint64_t count = draw(r, SEVERAL_IN) == 0 ? 1 + draw(r, CONTACTS) : 1;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned bit = 1U << draw(r, CONTACTS);
        if ((user->bound & bit) != 0 && draw(r, DROP_IN) == 0) {
            user->drop |= (uint8_t)bit;
        } else {
            user->put |= (uint8_t)bit;
        }
    }
    user->drop &= (uint8_t)~user->put;
}

static void fill_window(struct registrant *r)
{
    while (r->waiting < r->window) {
        const uint32_t number = (uint32_t)draw(r, r->user_count);
        struct user *const user = &r->users[number];
        if (user->waits) {
            continue; // there are more users than places
        }
        choose(r, user);
        user->cseq++;
        user->waits = true;
        r->places[r->waiting++] = (struct place){.user = number, .sent_us = now_us()};
        send_request(r, number);
    }
}

static void send_again(struct registrant *r, uint64_t sent_before_us)
{
    for (uint32_t i = 0; i < r->waiting; i++) {
        if (r->places[i].sent_us < sent_before_us) {
            r->places[i].sent_us = now_us();
            send_request(r, r->places[i].user);
        }
    }
}

// ---- Answers

static void write_down(const struct registrant *r, uint32_t number, unsigned status, uint64_t us)
{
    const struct user *const user = &r->users[number];
    (void)fprintf(r->journal, "%" PRIu32 " %" PRIu32 " %u %u %u %" PRIu64 "\n", number, user->cseq,
                  user->put, user->drop, status, us);
}

static void leave_window(struct registrant *r, uint32_t number)
{
    for (uint32_t i = 0; i < r->waiting; i++) {
        if (r->places[i].user == number) {
            r->places[i] = r->places[--r->waiting];
            return;
        }
    }
}

// "SIP/2.0 200 OK..." and "...branch=z9hG4bK-USER-CSEQ..."
static bool parse(const char *answer, unsigned *status, uint32_t *number, uint32_t *cseq)
{
    static const char version[] = "SIP/2.0 ";
    static const char cookie[] = "branch=z9hG4bK-";
    const char *const branch = strstr(answer, cookie);
    char *end = NULL;
    if (branch == NULL || strncmp(answer, version, strlen(version)) != 0) {
        return false;
    }
    *status = (unsigned)strtoul(answer + strlen(version), NULL, DECIMAL);
    *number = (uint32_t)strtoul(branch + strlen(cookie), &end, DECIMAL);
    *cseq = *end == '-' ? (uint32_t)strtoul(end + 1, NULL, DECIMAL) : 0;
    return true;
}

static void take_answer(struct registrant *r, const char *answer, uint64_t us)
{
    unsigned status = 0;
    uint32_t number = 0;
    uint32_t cseq = 0;
    if (!parse(answer, &status, &number, &cseq) || number >= r->user_count) {
        (void)fprintf(stderr, "registrant: what is this?\n%s\n", answer);
        return;
    }
    struct user *const user = &r->users[number];
    if (!user->waits || user->cseq != cseq) {
        return; // the second answer to a request that was sent twice
    }
    if (status == OK) {
        user->bound = user->put == 0 && user->drop == 0
                          ? 0
                          : (uint8_t)((user->bound | user->put) & ~user->drop);
    }
    user->waits = false;
    write_down(r, number, status, us);
    leave_window(r, number);
}

static uint64_t arrival_us(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(c), sizeof(at));
            return (uint64_t)at.tv_sec * US_PER_S + (uint64_t)at.tv_nsec / NS_PER_US;
        }
    }
    return now_us();
}

// False when none has come.
static bool receive(struct registrant *r)
{
    char answer[ANSWER_BYTES_MAX];

    union {
        struct cmsghdr aligned;
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec piece = {.iov_base = answer, .iov_len = sizeof(answer) - 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    const ssize_t len = recvmsg(r->socket, &message, MSG_DONTWAIT);
    if (len < 0) {
        return false;
    }
    answer[len] = '\0';
    take_answer(r, answer, arrival_us(&message));
    return true;
}

// ---- Commands

static bool go(struct registrant *r)
{
    r->journal = fopen(r->journal_path, "w");
    if (r->journal == NULL) {
        perror(r->journal_path);
        return false;
    }
    r->going = true;
    send_again(r, UINT64_MAX);
    return true;
}

static bool stop(struct registrant *r)
{
    while (receive(r)) {
    }
    for (uint32_t i = 0; i < r->waiting; i++) {
        write_down(r, r->places[i].user, 0, 0);
    }
    r->going = false;
    const bool ok = fclose(r->journal) == 0;
    (void)printf("stopped\n");
    return fflush(stdout) == 0 && ok;
}

// A command comes whole, and the next when this one has been obeyed.
static bool obey(struct registrant *r, bool *ended)
{
    char line[16];
    const ssize_t len = read(STDIN_FILENO, line, sizeof(line) - 1);
    *ended = len <= 0;
    if (*ended) {
        return len == 0;
    }
    line[len] = '\0';
    const bool starts = strcmp(line, "go\n") == 0 && !r->going;
    const bool stops = strcmp(line, "stop\n") == 0 && r->going;
    return starts ? go(r) : stops ? stop(r) : false;
}

static bool run(struct registrant *r)
{
    bool ok = true;
    bool ended = false;
    while (ok && !ended) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = r->socket, .events = POLLIN}};
        if (poll(fds, 2, POLL_MS) < 0 && errno != EINTR) {
            return false;
        }
        if (fds[0].revents != 0) {
            ok = obey(r, &ended);
        }
        for (uint32_t i = 0; r->going && i < r->window && receive(r); i++) {
        }
        if (r->going && ok && !ended) {
            fill_window(r);
            send_again(r, now_us() - RETRANSMIT_US);
        }
    }
    return ok;
}

// ---- Start

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, DECIMAL);
    return errno == 0 && end != text && *end == '\0' && *out > 0 && *out <= max;
}

static bool read_arguments(struct registrant *r, int argc, char **argv)
{
    uint64_t port = 0;
    uint64_t users = 0;
    uint64_t window = 0;
    r->server.sin_family = AF_INET;
    if (argc != ARGUMENTS || inet_pton(AF_INET, argv[1], &r->server.sin_addr) != 1 ||
        !number(argv[2], UINT16_MAX, &port) || !number(argv[3], USERS_MAX, &users) ||
        !number(argv[4], WINDOW_MAX, &window) || window >= users ||
        !number(argv[5], UINT64_MAX, &r->random)) {
        return false;
    }
    r->server.sin_port = htons((uint16_t)port);
    r->user_count = (uint32_t)users;
    r->window = (uint32_t)window;
    r->journal_path = argv[6];
    return true;
}

static bool open_socket(struct registrant *r)
{
    const int on = 1;
    const int bytes = BUFFER_BYTES;
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    r->socket = socket(AF_INET, SOCK_DGRAM, 0);
    (void)setsockopt(r->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return r->socket >= 0 &&
           setsockopt(r->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0 &&
           bind(r->socket, (const struct sockaddr *)&any, sizeof(any)) == 0;
}

int main(int argc, char **argv)
{
    struct registrant r = {0};
    if (!read_arguments(&r, argc, argv)) {
        (void)fprintf(stderr, "usage: registrant HOST PORT USERS WINDOW SEED JOURNAL\n");
        return 2;
    }
    r.users = calloc(r.user_count, sizeof(*r.users));
    r.places = calloc(r.window, sizeof(*r.places));
    const bool ready = r.users != NULL && r.places != NULL && open_socket(&r);
    if (!ready) {
        perror("registrant");
    }
    const bool ok = ready && run(&r);
    free(r.users);
    free(r.places);
    return ok ? 0 : 1;
}
