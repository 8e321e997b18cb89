# task: temporary files and directories, in the default place and in the common ones
# proof: TMPDIR /tmp /var/tmp /dev/shm
# part: test
set -euo pipefail

work() {
    file=$(mktemp)
    directory=$(mktemp -d)
    mv "$file" "$directory/file"
    test -f "$directory/file"
    rm -r "$directory"
    made=TMPDIR
    for place in /tmp /var/tmp /dev/shm; do
        if ! test -d "$place"; then
            made="$made $place"
            continue
        fi
        directory=$(mktemp -d -p "$place")
        echo x > "$directory/file"
        ln "$directory/file" "$directory/link"
        mkdir "$directory/inner"
        mv "$directory/file" "$directory/inner/file"
        rm -r "$directory"
        made="$made $place"
    done
    echo "$made"
}

"$@"
