# task: C's tmpfile, mkstemp and shm_open
# needs: cc
# proof: tmpfile, mkstemp, shm_open
# part: test
set -euo pipefail

prepare() {
    cat > files.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
    char path[] = "/tmp/files-XXXXXX";
    if (!tmpfile()) return perror("tmpfile"), 1;
    if (mkstemp(path) < 0) return perror("mkstemp"), 1;
    unlink(path);
    char name[64];
    snprintf(name, sizeof name, "/files-%d", getpid());
    if (shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600) < 0) return perror("shm_open"), 1;
    shm_unlink(name);
    puts("tmpfile, mkstemp, shm_open");
    return 0;
}
END
}

work() {
    cc -o files files.c
    ./files
}

"$@"
