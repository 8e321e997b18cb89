# task: node --test requests a page from its own HTTP server on the loopback address
# needs: node
# proof: # pass 1
# network: yes
# part: test
set -euo pipefail

prepare() {
    cat > server.test.js <<'END'
const test = require("node:test");
const assert = require("node:assert");
const http = require("node:http");
test("the server answers", async () => {
    const server = http.createServer((request, response) => response.end("hello"));
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
    assert.equal(await answer.text(), "hello");
    server.close();
});
END
}

work() {
    node --test --test-reporter=tap
}

"$@"
