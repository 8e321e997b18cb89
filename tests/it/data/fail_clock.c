/* Runs a program whose clock fails once: fail_clock THREAD FILE PROGRAM [ARGUMENT]...

   Once FILE exists, the next call of clock_gettime(2) in THREAD ("main", or "other" for any other one) fails, at which Rust's
   standard library panics, and FILE is removed. The program is traced, because nothing can be loaded into a static one. Its
   children are not. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void registers(int request, pid_t thread, int set, void *of, size_t size) {
    struct iovec place = {of, size};
    ptrace(request, thread, set, &place);
}

#if defined(__x86_64__)
typedef struct user_regs_struct Registers;
#define NUMBER(r) (r).orig_rax
#define RESULT(r) (r).rax
#define STACK(r) (r).rsp
#elif defined(__aarch64__)
typedef struct user_regs_struct Registers;
#define NUMBER(r) (r).regs[8]
#define RESULT(r) (r).regs[0]
#define STACK(r) (r).sp
#else
#error "no registers are known for this processor"
#endif

static Registers get(pid_t thread) {
    Registers found;
    registers(PTRACE_GETREGSET, thread, NT_PRSTATUS, &found, sizeof found);
    return found;
}

/* Hides the functions that the kernel maps into every process (vdso(7)), so that the clock is read by a system call. */
static void hide_vdso(pid_t program) {
    unsigned long at = STACK(get(program)), word = ptrace(PTRACE_PEEKDATA, program, at, 0);
    at += (word + 2) * sizeof word; /* after the arguments */
    while (ptrace(PTRACE_PEEKDATA, program, at, 0) != 0)
        at += sizeof word; /* the environment */
    for (at += sizeof word; (word = ptrace(PTRACE_PEEKDATA, program, at, 0)) != AT_NULL; at += 2 * sizeof word)
        if (word == AT_SYSINFO_EHDR)
            ptrace(PTRACE_POKEDATA, program, at, AT_IGNORE);
}

int main(int count, char **words) {
    if (count < 4)
        return 2;
    int is_main = strcmp(words[1], "main") == 0, status;
    pid_t program = fork(), thread;
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execvp(words[3], words + 3);
        _exit(127);
    }
    waitpid(program, &status, 0);
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, program, 0, options) != 0)
        return 126;
    ptrace(PTRACE_SYSCALL, program, 0, 0);
    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (thread == program)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_EXEC)
            hide_vdso(program);
        struct __ptrace_syscall_info call;
        if (signal == (SIGTRAP | 0x80) && ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) > 0 &&
            call.op == PTRACE_SYSCALL_INFO_EXIT) {
            Registers now = get(thread);
            if (NUMBER(now) == SYS_clock_gettime && (thread == program) == is_main && unlink(words[2]) == 0) {
                RESULT(now) = -EINVAL;
                registers(PTRACE_SETREGSET, thread, NT_PRSTATUS, &now, sizeof now);
            }
        }
        int passed = signal == SIGSTOP || (signal & ~0x80) == SIGTRAP ? 0 : signal;
        ptrace(PTRACE_SYSCALL, thread, 0, passed);
    }
    return 125;
}
