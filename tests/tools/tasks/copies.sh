# task: cp -a, tar, find and install copy a tree with its modes, times and links
# needs: tar
# proof: same: cp tar install
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir -p from/inner
    echo x > from/inner/file
    chmod 750 from/inner/file
    touch -d 2020-01-01 from/inner/file
    ln -s inner/file from/link
    ln from/inner/file from/hard
}

work() {
    cp -a from cp
    mkdir tar
    tar -C from -cf - . | tar -C tar -xf -
    mkdir install
    install -m 750 -p from/inner/file install/file
    same=
    for copy in cp/inner/file tar/inner/file install/file; do
        test "$(stat -c '%a %Y' "$copy")" = "$(stat -c '%a %Y' from/inner/file)"
        same="$same ${copy%%/*}"
    done
    test "$(readlink cp/link)" = inner/file
    test tar/hard -ef tar/inner/file
    find tar -type f -delete
    rm -r cp tar install
    echo "same:$same"
}

"$@"
