# task: clients trust the authority that the environment names
# needs: openssl python3 node curl
# env: SSL_CERT_FILE=$HERE/authority.pem
# env: NODE_EXTRA_CA_CERTS=$HERE/authority.pem
# env: CURL_CA_BUNDLE=$HERE/authority.pem
# proof: trusted by {}
# variants: python node curl
set -euo pipefail

prepare() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout key.pem -out authority.pem 2> /dev/null
    cat > serve.py <<'END'
import http.server
import ssl
import subprocess
import sys
import threading

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("authority.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(subprocess.run([*sys.argv[1:], f"https://localhost:{server.server_port}/"]).returncode)
END
}

work() {
    case $1 in
        python) client=(python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])') ;;
        node) client=(node -e 'fetch(process.argv[1]).catch((error) => { console.error(error.cause); process.exit(1); })') ;;
        curl) client=(curl -sSf -o page) ;;
    esac
    python3 serve.py "${client[@]}" > /dev/null
    echo "trusted by $1"
}

"$@"
