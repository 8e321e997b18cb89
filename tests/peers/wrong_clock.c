/* Loaded into a process (LD_PRELOAD), it lets the clock say one time that cannot be, once the file WRONG_CLOCK exists:
   in the main thread, or in another one if WRONG_CLOCK_ELSEWHERE is set. Rust's standard library panics at it. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    const char *file = getenv("WRONG_CLOCK");
    int is_main = syscall(SYS_gettid) == getpid();
    int result = syscall(SYS_clock_gettime, clock, now);
    if (file != NULL && is_main == (getenv("WRONG_CLOCK_ELSEWHERE") == NULL) && access(file, F_OK) == 0 &&
        !atomic_flag_test_and_set(&done))
        now->tv_nsec = 2000000000;
    return result;
}
