# task: ssh-agent keeps a key
# needs: ssh-agent ssh-keygen
# differs: the agent hides its memory, in which the sandbox would read the address of its socket
# proof: kept: a@example.test
set -euo pipefail

work() {
    ssh-keygen -q -t ed25519 -N '' -C a@example.test -f key
    echo "kept: $(ssh-agent bash -c 'ssh-add -q key && ssh-add -l' | grep -o 'a@example.test')"
}

"$@"
