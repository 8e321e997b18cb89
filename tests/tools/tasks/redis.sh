# task: Redis serves a client over a Unix socket
# needs: redis-server redis-cli
# proof: stored
set -euo pipefail

work() {
    redis-server --port 0 --unixsocket "$PWD/s" --save '' > log &
    until redis-cli -s s ping 2> /dev/null | grep -q PONG; do sleep 0.05; done
    redis-cli -s s set word stored > /dev/null
    redis-cli -s s get word
    redis-cli -s s shutdown nosave
    wait
}

"$@"
