# task: Python and node list the network interfaces and resolve localhost
# needs: python3 node
# proof: lo, localhost, lo
# network: yes
# part: test
set -euo pipefail

work() {
    first=$(python3 -c 'import socket; print([name for _, name in socket.if_nameindex() if name == "lo"][0])')
    looked_up=$(python3 -c 'import socket; print(socket.getaddrinfo("127.0.0.1", 80) and socket.gethostbyname("localhost") and "localhost")')
    second=$(node -p 'Object.keys(require("os").networkInterfaces()).includes("lo") ? "lo" : "no"')
    echo "$first, $looked_up, $second"
}

"$@"
