# task: git adds and removes a linked worktree below the repository
# needs: git
# proof: one in the worktree
# part: test
set -euo pipefail

prepare() {
    git init -q -b main .
    git config user.name A
    git config user.email a@example.test
    echo one > file
    git add .
    git commit -qm one
}

work() {
    git worktree add -q tree -b feature
    (cd tree && echo "in the worktree" >> file && git commit -qam two)
    git worktree remove tree
    git merge -q feature
    paste -sd' ' file
}

"$@"
