# task: a temporary directory, with links and moves in it
# proof: linked and moved in {}
# variants: TMPDIR /tmp /var/tmp /dev/shm
# part: test
set -euo pipefail

work() {
    case $1 in
        TMPDIR) directory=$(mktemp -d) ;;
        *) directory=$(mktemp -d -p "$1") ;;
    esac
    mkdir "$directory/inner"
    echo x > "$directory/file"
    ln "$directory/file" "$directory/link"
    mv "$directory/file" "$directory/inner/file"
    test "$directory/inner/file" -ef "$directory/link"
    rm -r "$directory"
    echo "linked and moved in $1"
}

"$@"
