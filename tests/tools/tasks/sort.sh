# task: sort with little memory, over temporary files
# proof: 300000 lines in order, {}
# variants: TMPDIR tmp
# part: test
set -euo pipefail

work() {
    local place=()
    if test "$1" = tmp; then
        place=(-T /tmp)
    fi
    seq 300000 | sort -r | sort -n -S 1M "${place[@]}" > sorted
    sort -n -c sorted
    echo "$(wc -l < sorted) lines in order, $1"
}

"$@"
