# task: node serves HTTP on a Unix socket, to curl and to itself
# needs: node curl
# proof: hello, hello
# part: test
set -euo pipefail

prepare() {
    cat > main.js <<'END'
const http = require("node:http");
const { execFile } = require("node:child_process");
const server = http.createServer((request, response) => response.end("hello"));
server.listen("./s", () => {
    http.get({ socketPath: "./s", path: "/" }, (answer) => {
        let first = "";
        answer.on("data", (data) => { first += data; });
        answer.on("end", () => execFile("curl", ["-sS", "--unix-socket", "./s", "http://x/"], (error, second) => {
            console.log(error ? error.message : `${first}, ${second}`);
            server.close();
        }));
    });
});
END
}

work() {
    node main.js
}

"$@"
