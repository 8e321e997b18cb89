# task: git makes a repository, commits, stashes, switches branches and moves files
# needs: git
# proof: commits: 3, moved: b/file
# places: work tmp
# part: test
set -euo pipefail

work() {
    git init -q .
    git config user.name A
    git config user.email a@example.test
    mkdir a b
    echo 1 > a/file
    git add .
    git commit -qm one
    echo 2 >> a/file
    git stash -q
    git stash pop -q
    git commit -qam two
    git switch -q -c branch
    git mv a/file b/file
    git commit -qm three
    echo "commits: $(git rev-list --count HEAD), moved: $(git ls-files)"
}

"$@"
