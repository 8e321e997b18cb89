/* Runs a command and prints what it took, as an object of JSON: wall time, processor time, context switches and peak
 * memory of the process with the children that it has waited for. It is small itself, because the peak of a
 * program that is started from here begins with that of this one.
 *
 *   measure [-n TIMES] [-i FILE] [-o FILE] COMMAND...
 *       runs it one after the other; standard input and output are /dev/null without -i and -o
 *   measure -l FD -s FILE [-p MICROSECONDS] COMMAND...
 *       serves its only request itself, at the listening socket FD, with the event stream in FILE: an event at a time,
 *       in a chunk of its own, with this pause. The output of the command is a pipe that is read here. Prints also when
 *       the request came, and how long each delta took to the other end of that pipe.
 *
 * Times are in nanoseconds, sizes in bytes. Exit code 1: the command failed, or nothing came for a minute.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 60 /* seconds */
#define MAX_DELTAS 100000

extern char **environ;
static char buffer[1 << 16];
static long long latencies[MAX_DELTAS];
static int deltas;

static void fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time)
{
    return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

/* Starts the command. Its output goes to `out`, if that is a descriptor, else to the file `to`. */
static pid_t start(char **command, const char *from, const char *to, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, from, O_RDONLY, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    else
        posix_spawn_file_actions_addopen(&actions, 1, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* Python ignores it, and that is inherited */
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    errno = posix_spawn(&pid, command[0], &actions, &attributes, command, environ);
    if (errno)
        fail(command[0]);
    return pid;
}

static void end(pid_t pid, struct rusage *usage)
{
    int status;
    if (wait4(pid, &status, 0, usage) != pid)
        fail("wait4");
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        fprintf(stderr, "measure: the command ended with status %#x\n", (unsigned)status);
        exit(1);
    }
}

/* The whole file, with its length. */
static char *contents(const char *path, size_t *length)
{
    FILE *file = fopen(path, "r");
    char *bytes;
    if (!file || fseek(file, 0, SEEK_END))
        fail(path);
    *length = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*length + 1);
    if (!bytes || fread(bytes, 1, *length, file) != *length)
        fail(path);
    bytes[*length] = 0;
    fclose(file);
    return bytes;
}

/* Waits until there is something to read, or until this time. */
static int readable(int fd, long long until)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    long long left = until - now();
    struct timespec time;
    if (left < 0)
        left = 0;
    time.tv_sec = left / 1000000000;
    time.tv_nsec = left % 1000000000;
    return ppoll(&polled, 1, &time, NULL) > 0;
}

/* Reads a request to its end; returns when its first bytes were there. */
static long long request(int client)
{
    size_t length = 0, missing = 1;
    long long first = 0;
    char *body = NULL, *field;
    while (missing) {
        ssize_t got = read(client, buffer + length, sizeof buffer - 1 - length);
        if (got <= 0)
            fail("the request has no end");
        if (!first)
            first = now();
        if (body) {
            missing -= (size_t)got;
            continue;
        }
        length += (size_t)got;
        buffer[length] = 0;
        if (!(body = strstr(buffer, "\r\n\r\n")))
            continue;
        if (!(field = strcasestr(buffer, "content-length:")))
            fail("the request has no length");
        missing = strtoul(field + strlen("content-length:"), NULL, 10) - (size_t)(buffer + length - (body + 4));
        length = 0;
    }
    return first;
}

static void send_all(int client, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = send(client, bytes, length, MSG_NOSIGNAL);
        if (written <= 0)
            fail("the client has left");
        bytes += written;
        length -= (size_t)written;
    }
}

/* Sends the stream, and reads at the other end. */
static void serve(int client, int output, const char *stream, long long pause)
{
    static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                               "transfer-encoding: chunked\r\n\r\n";
    long long next = now();
    send_all(client, head, sizeof head - 1);
    while (*stream) {
        const char *after = strstr(stream, "\n\n");
        size_t length = after ? (size_t)(after + 2 - stream) : strlen(stream);
        int is_delta = !strncmp(stream, "event: response.output_text.delta\n", 34);
        char *chunk = malloc(length + 32);
        int size = snprintf(chunk, length + 32, "%zx\r\n", length);
        long long sent;
        memcpy(chunk + size, stream, length);
        memcpy(chunk + size + length, "\r\n", 2);
        sent = now();
        send_all(client, chunk, (size_t)size + length + 2);
        free(chunk);
        stream += length;
        next = pause ? sent + pause : next;
        while (pause && readable(output, next)) {
            if (read(output, buffer, sizeof buffer) <= 0)
                break;
            if (is_delta && deltas < MAX_DELTAS)
                latencies[deltas++] = now() - sent;
            is_delta = 0;
        }
        if (pause && is_delta && deltas < MAX_DELTAS)
            latencies[deltas++] = pause; /* or more: nothing has come */
    }
    send_all(client, "0\r\n\r\n", 5);
}

int main(int argc, char **argv)
{
    const char *from = "/dev/null", *to = "/dev/null", *stream = NULL;
    long long pause = 0, wall = 0, arrived = 0, cpu[2] = {0, 0}, begun;
    long times = 1, listener = -1, switches = 0, memory = 0, run;
    struct rusage usage;
    int option;
    while ((option = getopt(argc, argv, "+n:i:o:l:s:p:")) != -1)
        switch (option) {
        case 'n': times = atol(optarg); break;
        case 'i': from = optarg; break;
        case 'o': to = optarg; break;
        case 'l': listener = atol(optarg); break;
        case 's': stream = optarg; break;
        case 'p': pause = atoll(optarg) * 1000; break;
        default: return 2;
        }
    if (optind == argc || (listener >= 0) != (stream != NULL))
        return 2;
    for (run = 0; run < times; run++) {
        pid_t pid;
        if (!stream) {
            begun = now();
            pid = start(argv + optind, from, to, -1);
        } else {
            size_t length;
            char *events = contents(stream, &length);
            int ends[2], client;
            if (pipe2(ends, O_CLOEXEC) || fcntl((int)listener, F_SETFD, FD_CLOEXEC))
                fail("pipe");
            begun = now();
            pid = start(argv + optind, from, to, ends[1]);
            close(ends[1]);
            prctl(PR_SET_TIMERSLACK, 1); /* of this process; the command has been started */
            if (!readable((int)listener, begun + PATIENCE * 1000000000LL))
                fail("no connection");
            if ((client = accept4((int)listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
                fail("accept");
            arrived = request(client) - begun;
            setsockopt(client, 6 /* TCP */, 1 /* NODELAY */, &(int){1}, sizeof(int));
            serve(client, ends[0], events, pause);
            while (readable(ends[0], now() + PATIENCE * 1000000000LL) && read(ends[0], buffer, sizeof buffer) > 0)
                ;
            close(client);
        }
        end(pid, &usage);
        wall += now() - begun;
        cpu[0] += nanoseconds(usage.ru_utime);
        cpu[1] += nanoseconds(usage.ru_stime);
        switches += usage.ru_nvcsw + usage.ru_nivcsw;
        memory = usage.ru_maxrss > memory ? usage.ru_maxrss : memory;
    }
    printf("{\"wall\":%lld,\"user\":%lld,\"system\":%lld,\"switches\":%ld,\"memory\":%ld,\"request\":%lld,\"latencies\":[", wall,
           cpu[0], cpu[1], switches, memory * 1024, arrived);
    for (run = 0; run < deltas; run++)
        printf("%s%lld", run ? "," : "", latencies[run]);
    puts("]}");
    return 0;
}
