# task: two processes talk over a Unix socket with an abstract name
# needs: python3
# proof: answer over abstract
# linux: 6.12
# part: test
set -euo pipefail

prepare() {
    cat > sockets.py <<'END'
import os
import socket
import sys

path, name = sys.argv[1:]
path = path.replace("@", "\0")
server = socket.socket(socket.AF_UNIX)
server.bind(path)
server.listen()
if os.fork() == 0:
    connection, _ = server.accept()
    connection.sendall(b"answer over ")
    os._exit(0)
client = socket.socket(socket.AF_UNIX)
client.connect(path)
print(client.recv(100).decode() + name)
os.wait()
END
}

work() {
    python3 sockets.py "@codex-run-$$" abstract
}

"$@"
