# task: background jobs, signals, time limits, named pipes, and devices
# needs: ps
# proof: killed: 143, late: 124, through a pipe: x, from a device: 4
# part: test
set -euo pipefail

work() {
    sleep 60 &
    kill $!
    killed=0
    wait $! || killed=$?
    late=0
    timeout 0.1 sleep 60 || late=$?
    mkfifo pipe
    echo x > pipe &
    read -r word < pipe
    count=$(head -c 4 /dev/zero | tee /dev/null /dev/stderr 2> /dev/null | wc -c)
    nice -n 5 true
    ps -o pid= -p $$ > /dev/null
    echo "killed: $killed, late: $late, through a pipe: $word, from a device: $count"
}

"$@"
