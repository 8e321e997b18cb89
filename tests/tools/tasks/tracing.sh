# task: strace and gdb inspect a program
# needs: strace gdb cc
# linux: 6.12
# variants: strace gdb
# proof: traced by {}
set -euo pipefail

prepare() {
    cat > main.c <<'END'
int twice(int n) { return 2 * n; }
int main(void) { return twice(21) != 42; }
END
    cc -g -o main main.c
}

work() {
    case $1 in
        strace) strace -f -o log ./main && grep -q exit_group log ;;
        gdb) gdb -q -batch -ex 'break twice' -ex run -ex 'print n' ./main | grep -q '= 21' ;;
    esac
    echo "traced by $1"
}

"$@"
