# task: two processes talk over a Unix socket
# needs: python3
# proof: answer over {}
# variants: project TMPDIR tmp
# part: test
set -euo pipefail

prepare() {
    cat > sockets.py <<'END'
import os
import socket
import sys

path, name = sys.argv[1:]
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
    case $1 in
        project) path=s ;;
        TMPDIR) path=$(mktemp -d)/s ;;
        tmp) path=$(mktemp -u /tmp/s-XXXXXX) ;;
    esac
    python3 sockets.py "$path" "$1"
    rm -f "$path"
}

"$@"
