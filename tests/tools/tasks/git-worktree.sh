# task: git commits and rebases in a linked worktree
# needs: git
# in: link
# proof: one main feature
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    git init -q -b main repository
    cd repository
    git config user.name A
    git config user.email a@example.test
    git commit -q --allow-empty -m one
    git worktree add -q ../link -b feature
    git commit -q --allow-empty -m main
}

work() {
    echo 2 > file
    git add file
    git commit -qm feature
    git rebase -q main
    git status --porcelain
    git log --reverse --format=%s | paste -sd' '
}

"$@"
