# task: rsync copies a tree, and again with hard links to the first copy
# needs: rsync
# proof: linked
set -euo pipefail

prepare() {
    mkdir -p from/inner
    echo x > from/inner/file
}

work() {
    rsync -a from/ first/
    rsync -a --link-dest=../first from/ second/
    test first/inner/file -ef second/inner/file
    echo linked
}

"$@"
