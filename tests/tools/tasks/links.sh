# task: hard links and moves across directories
# proof: linked, a tree linked, moved, a directory moved
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir -p a/inner b
    echo x > a/file
    echo y > a/inner/file
}

work() {
    ln a/file b/link
    test a/file -ef b/link
    cp -al a linked
    test linked/inner/file -ef a/inner/file
    mv a/file b/file
    mv a/inner b/inner
    test "$(cat b/inner/file)" = y
    echo "linked, a tree linked, moved, a directory moved"
}

"$@"
