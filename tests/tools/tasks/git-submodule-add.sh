# task: git clones a repository with hard links, and adds it as a submodule
# needs: git
# in: work
# proof: cloned: one, submodule: one
# part: test
set -euo pipefail

prepare() {
    git init -q -b main other
    cd other
    git config user.name A
    git config user.email a@example.test
    echo one > file
    git add .
    git commit -qm one
    mkdir ../work
}

work() {
    git clone -q ../other clone
    git init -q -b main super
    git -C super -c protocol.file.allow=always submodule --quiet add ../../other sub
    echo "cloned: $(cat clone/file), submodule: $(cat super/sub/file)"
}

"$@"
