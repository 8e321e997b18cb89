# task: a program built with a sanitizer runs
# needs: cc
# linux: 6.12
# proof: ran with {}
# variants: address thread undefined
set -euo pipefail

prepare() {
    cat > main.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int count, char **arguments) {
    char *copy = strdup(arguments[count - 1]);
    printf("ran with %s\n", copy);
    free(copy);
    return 0;
}
END
}

work() {
    cc -g -pthread "-fsanitize=$1" -o main main.c
    ./main "$1"
}

"$@"
