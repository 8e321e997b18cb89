# task: git commits in a submodule
# needs: git
# in: super/sub
# proof: one two
# part: test
set -euo pipefail

prepare() {
    for name in sub super; do
        git init -q -b main "$name"
        git -C "$name" config user.name A
        git -C "$name" config user.email a@example.test
        git -C "$name" commit -q --allow-empty -m one
    done
    git -C super -c protocol.file.allow=always submodule --quiet add ../sub sub
    git -C super commit -qm "a submodule"
    git -C super/sub config user.name A
    git -C super/sub config user.email a@example.test
}

work() {
    echo 2 > file
    git add file
    git commit -qm two
    git log --reverse --format=%s | paste -sd' '
}

"$@"
