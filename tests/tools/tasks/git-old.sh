# task: git commits, rebases, merges and collects garbage in an existing repository
# needs: git
# proof: one four two three
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    git init -q -b main .
    git config user.name A
    git config user.email a@example.test
    for word in one two three; do
        echo "$word" > "$word"
        git add .
        git commit -qm "$word"
    done
}

work() {
    git branch old
    git reset -q --hard HEAD~2
    echo four > four
    git add .
    git commit -qm four
    git switch -q old
    git rebase -q main
    git switch -q main
    git merge -q old
    git gc -q --aggressive --prune=now
    git fsck
    git log --reverse --format=%s | paste -sd' '
}

"$@"
