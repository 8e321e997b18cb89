# task: make -j builds a library and a program, with a nested make
# needs: make cc ar
# proof: 10 objects
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir lib
    for n in 0 1 2 3 4 5 6 7 8 9; do printf 'int f%s(void) { return 1; }\n' "$n" > "lib/f$n.c"; done
    printf 'libf.a: $(patsubst %%.c,%%.o,$(wildcard *.c))\n\t$(AR) rcs $@ $^\n' > lib/Makefile
    printf 'main: main.c lib/libf.a\n\t$(CC) -o $@ $^\nlib/libf.a:\n\t$(MAKE) -C lib libf.a\n.PHONY: lib/libf.a\n' > Makefile
    {
        echo '#include <stdio.h>'
        for n in 0 1 2 3 4 5 6 7 8 9; do echo "int f$n(void);"; done
        echo 'int main(void) { printf("%d objects\n", f0()+f1()+f2()+f3()+f4()+f5()+f6()+f7()+f8()+f9()); return 0; }'
    } > main.c
}

work() {
    make -j4
    ./main
}

"$@"
