/* Tries what the walls are to refuse, straight through system calls. Says "done" where it got through. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int told(long result) {
    if (result < 0) {
        printf("refused: %s\n", strerror(errno));
        return 1;
    }
    printf("done\n");
    return 0;
}

static struct sockaddr_in inet(const char *address, const char *port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, address, &in.sin_addr);
    return in;
}

/* A path, or a name in the abstract namespace behind an @. */
static socklen_t local(const char *name, struct sockaddr_un *un) {
    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    strncpy(un->sun_path, name, sizeof un->sun_path - 1);
    if (name[0] == '@')
        un->sun_path[0] = 0;
    return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static long send_to(int fd, void *address, socklen_t length) {
    struct iovec part = {"hi", 2};
    struct msghdr message = {.msg_name = address, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1};
    return sendmsg(fd, &message, 0);
}

/* Leaves its mark as long as it lives, half a minute at most. */
static void *headless(void *path) {
    for (int n = 0; n < 3000; n++) { /* longer than a test waits for its end */
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)!write(fd, "x", 1);
        close(fd);
        usleep(50000);
    }
    syscall(SYS_exit_group, 0);
    return NULL;
}

/* Adds a rule that lets everything below / be written. */
static int opened(int rules) {
    struct {
        unsigned long long access;
        int place;
    } __attribute__((packed)) rule = {2 | 0x100 /* write files, make them */, open("/", O_PATH)};
    int added = syscall(445 /* landlock_add_rule */, rules, 1, &rule, 0) == 0;
    close(rule.place);
    return added;
}

/* Looks for the rules of the run, through which the sandbox of the next call could be opened: among its own descriptors,
   and among those of all processes, by name and by taking them. */
static int look_for_rules(int rounds) {
    unsigned long long handled = 2 | 0x100;
    int looked = 0, found = 0;
    int own = syscall(444 /* landlock_create_ruleset */, &handled, sizeof handled, 0);
    if (own < 0 || !opened(own))
        return told(-1);
    close(own);
    for (int round = 0; round < rounds; round++) {
        for (int fd = 0; fd < 64; fd++)
            found += opened(fd);
        DIR *processes = opendir("/proc");
        for (struct dirent *entry; (entry = readdir(processes));) {
            int process = atoi(entry->d_name);
            if (process <= 0 || process == getpid())
                continue;
            int held = syscall(434 /* pidfd_open */, process, 0);
            looked += held >= 0;
            for (int fd = 0; fd < 32; fd++) {
                char path[64], name[64] = "";
                snprintf(path, sizeof path, "/proc/%d/fd/%d", process, fd);
                if (readlink(path, name, sizeof name - 1) > 0 && strstr(name, "landlock"))
                    found++;
                int taken = syscall(438 /* pidfd_getfd */, held, fd, 0);
                if (taken >= 0) {
                    found += opened(taken);
                    close(taken);
                }
            }
            close(held);
        }
        closedir(processes);
    }
    printf("%s %s\n", looked ? "looked" : "blind", found ? "found" : "nothing");
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argv[1], *a = argc > 2 ? argv[2] : "", *b = argc > 3 ? argv[3] : "";
    struct sockaddr_un un;
    int fd;
    if (!strcmp(what, "tcp")) {
        struct sockaddr_in in = inet(a, b);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (fd < 0)
            return told(-1);
        long result = connect(fd, (void *)&in, sizeof in);
        return told(errno == EINPROGRESS ? 0 : result);
    }
    if (!strcmp(what, "udp")) {
        struct sockaddr_in in = inet(a, b);
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        return told(fd < 0 ? -1 : sendto(fd, "hi", 2, 0, (void *)&in, sizeof in));
    }
    if (!strcmp(what, "udp-message")) {
        struct sockaddr_in in = inet(a, b);
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        return told(fd < 0 ? -1 : send_to(fd, &in, sizeof in));
    }
    if (!strcmp(what, "family"))
        return told(socket(atoi(a), SOCK_STREAM, 0) < 0 ? socket(atoi(a), SOCK_RAW, 0) : 0);
    if (!strcmp(what, "unix")) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        socklen_t length = local(a, &un);
        return told(fd < 0 ? -1 : connect(fd, (void *)&un, length));
    }
    if (!strcmp(what, "unix-datagram")) {
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        socklen_t length = local(a, &un);
        return told(fd < 0 ? -1 : send_to(fd, &un, length));
    }
    if (!strcmp(what, "unix-pair")) {
        int pair[2];
        socklen_t length = local(a, &un);
        return told(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 ? -1 : send_to(pair[0], &un, length));
    }
    if (!strcmp(what, "stream-pair")) {
        int pair[2];
        return told(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    }
    if (!strcmp(what, "ptrace")) {
        long result = ptrace(PTRACE_SEIZE, atoi(a), 0, 0);
        return told(result);
    }
    if (!strcmp(what, "peek")) {
        char here[8];
        struct iovec to = {here, 8}, from = {(void *)0x400000, 8};
        long result = process_vm_readv(atoi(a), &to, 1, &from, 1, 0);
        /* A wrong address says that the process was reached. */
        return told(result < 0 && errno == EFAULT ? 0 : result);
    }
    if (!strcmp(what, "io_uring")) {
        char parameters[120] = {0};
        return told(syscall(SYS_io_uring_setup, 4, parameters));
    }
    if (!strcmp(what, "keys"))
        return told(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -3 /* KEY_SPEC_SESSION_KEYRING */, 1));
    if (!strcmp(what, "signal"))
        return told(kill(atoi(a), 0));
    if (!strcmp(what, "limit")) {
        struct rlimit limit = {1 << 30, 1 << 30};
        return told(syscall(SYS_prlimit64, atoi(a), RLIMIT_CORE, &limit, NULL));
    }
    if (!strcmp(what, "rules"))
        return look_for_rules(atoi(a));
    if (!strcmp(what, "memory"))
        return told(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
    if (!strcmp(what, "message"))
        return told(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    if (!strcmp(what, "queue"))
        return told(syscall(SYS_mq_open, a, O_RDWR | O_CREAT, 0600, NULL));
    if (!strcmp(what, "priority"))
        return told(setpriority(PRIO_PROCESS, atoi(a), 19));
    if (!strcmp(what, "priority-of-all"))
        return told(setpriority(PRIO_USER, 0, 0));
    if (!strcmp(what, "namespace"))
        return told(unshare(CLONE_NEWUSER));
    if (!strcmp(what, "cloned-namespace")) {
        long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            _exit(0);
        return told(child);
    }
    if (!strcmp(what, "generation")) {
        long generation = 7;
        fd = open(a, O_RDONLY);
        return told(fd < 0 ? -1 : ioctl(fd, 0x40086604 /* EXT4_IOC_SETVERSION */, &generation));
    }
    if (!strcmp(what, "headless")) {
        /* A process whose first thread is gone while another one goes on, which TERM does not end. */
        if (fork() > 0)
            return told(0);
        setsid();
        signal(SIGTERM, SIG_IGN);
        close(0), close(1), close(2);
        pthread_t thread;
        pthread_create(&thread, NULL, headless, (void *)a);
        syscall(SYS_exit, 0);
    }
    if (!strcmp(what, "device"))
        return told(mknod(a, S_IFCHR | 0600, 0x101 /* /dev/mem */));
    if (!strcmp(what, "flags")) {
        int flags = 0x40 /* FS_NODUMP_FL */;
        fd = open(a, O_RDONLY);
        return told(fd < 0 ? -1 : ioctl(fd, 0x40086602 /* FS_IOC_SETFLAGS */, &flags));
    }
    if (!strcmp(what, "attribute"))
        return told(syscall(SYS_setxattr, a, "user.codex", "x", 1, 0));
    if (!strcmp(what, "newroot")) {
        /* A user namespace of its own, in which it is root, and the hidden place mounted elsewhere. */
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            return told(-1);
        return told(mount(a, b, NULL, MS_BIND, NULL));
    }
    if (!strcmp(what, "x32")) {
        /* The second set of numbers that an x86-64 kernel may know. A kernel that does not says ENOSYS. */
        return told(syscall(0x40000000 + SYS_socket, AF_INET, SOCK_STREAM, 0));
    }
    fprintf(stderr, "what is %s?\n", what);
    return 2;
}
