# task: an HTTP server and a client in Python, on the loopback address
# needs: python3
# proof: status 200
# network: yes
# part: test
set -euo pipefail

work() {
    python3 - <<'END'
import http.server
import threading
import urllib.request

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
    print("status", answer.status)
END
}

"$@"
