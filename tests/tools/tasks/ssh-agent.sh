# task: ssh-agent keeps a key
# needs: ssh-agent ssh-keygen
# proof: kept: a@example.test
# part: test
set -euo pipefail

work() {
    ssh-keygen -q -t ed25519 -N '' -C a@example.test -f key
    echo "kept: $(ssh-agent bash -c 'ssh-add -q key && ssh-add -l' | grep -o 'a@example.test')"
}

"$@"
