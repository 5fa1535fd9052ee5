/* The floor that the kernel sets: datagrams in, as many out, in batches, and no SIP logic.
 *
 * null_responder PORT              every request comes back with its first line replaced by "SIP/2.0 200 OK"
 * null_responder PORT CALLEE_PORT  what comes from the callee goes to the last sender, all else to the callee
 *
 * Both on 127.0.0.1. Knows nothing of transactions, registrations or routes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 64, DATAGRAM_OCTETS = 4096, BUFFER_OCTETS = 4 << 20 };

static const char STATUS_LINE[] = "SIP/2.0 200 OK";

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int open_socket(const char *port)
{
    struct sockaddr_in address = loopback(port);
    int octets = BUFFER_OCTETS, door = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(door, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
    if (door < 0 || bind(door, (struct sockaddr *)&address, sizeof address))
        err(1, "port %s", port);
    return door;
}

/* One datagram becomes its own answer: `parts` are the status line and the request from the end of its first line. */
static void answer(char *datagram, size_t octets, struct msghdr *message, struct iovec *parts)
{
    char *rest = memchr(datagram, '\r', octets);
    parts[0] = (struct iovec){(void *)STATUS_LINE, sizeof STATUS_LINE - 1};
    parts[1] = (struct iovec){rest, rest ? (size_t)(datagram + octets - rest) : 0};
    message->msg_iov = parts;
    message->msg_iovlen = 2;
}

/* One datagram goes on as it is, to the other side. */
static void pass_on(size_t octets, struct msghdr *message, const struct sockaddr_in *callee, struct sockaddr_in *caller)
{
    struct sockaddr_in *other = message->msg_name;
    message->msg_iov->iov_len = octets;
    if (other->sin_port == callee->sin_port) {
        *other = *caller;
    } else {
        *caller = *other;
        *other = *callee;
    }
}

int main(int count, char **words)
{
    static char datagrams[BATCH][DATAGRAM_OCTETS];
    static struct iovec whole[BATCH], parts[BATCH][2];
    static struct sockaddr_in senders[BATCH];
    static struct mmsghdr messages[BATCH];
    struct sockaddr_in caller = {0}, callee = {0};
    if (count < 2)
        errx(2, "null_responder PORT [CALLEE_PORT]");
    if (count > 2)
        callee = loopback(words[2]);
    int door = open_socket(words[1]);
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            whole[i] = (struct iovec){datagrams[i], DATAGRAM_OCTETS};
            messages[i].msg_hdr = (struct msghdr){&senders[i], sizeof senders[i], &whole[i], 1, NULL, 0, 0};
        }
        int received = recvmmsg(door, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < received; i++) {
            if (count > 2)
                pass_on(messages[i].msg_len, &messages[i].msg_hdr, &callee, &caller);
            else
                answer(datagrams[i], messages[i].msg_len, &messages[i].msg_hdr, parts[i]);
        }
        for (int sent = 0, done = 0; done < received; done += sent > 0 ? sent : 1)
            sent = sendmmsg(door, messages + done, received - done, 0);
    }
}
