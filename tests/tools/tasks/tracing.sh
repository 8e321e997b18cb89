# task: strace shows the system calls of a program
# needs: strace
# differs: processes cannot be traced, which LeakSanitizer and debuggers do
# proof: traced
set -euo pipefail

work() {
    strace -f -o log true
    grep -q exit_group log
    echo traced
}

"$@"
