# task: datagrams over a Unix socket, as those of a system log
# needs: python3
# differs: a datagram's address is not visible to the sandbox, and could be that of another program
# proof: logged: hello
# part: test
set -euo pipefail

work() {
    python3 - <<'END'
import logging.handlers
import socket

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("log")
server.settimeout(20)
logging.getLogger().addHandler(logging.handlers.SysLogHandler("log"))
logging.error("hello")
print("logged:", server.recv(100).decode().split(">")[1].strip("\0"))
END
}

"$@"
