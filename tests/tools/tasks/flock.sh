# task: flock lets one process at a time count
# needs: flock
# proof: counted to 20 under {}
# variants: project tmp
# part: test
set -euo pipefail

work() {
    case $1 in
        project) lock=lock ;;
        tmp) lock=$(mktemp /tmp/lock-XXXXXX) ;;
    esac
    echo 0 > count
    for _ in 1 2 3 4; do
        (for _ in 1 2 3 4 5; do flock "$lock" bash -c 'read -r n < count; echo $((n + 1)) > count'; done) &
    done
    wait
    test "$1" = project || rm "$lock"
    echo "counted to $(cat count) under $1"
}

"$@"
