# task: node forks a process, starts a worker thread and writes a temporary file
# needs: node
# proof: process: 14, thread: 14, file: 14
# part: test
set -euo pipefail

prepare() {
    cat > main.js <<'END'
const { fork } = require("node:child_process");
const { Worker } = require("node:worker_threads");
const { mkdtempSync, renameSync, writeFileSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const told = (from) => new Promise((done) => from.once("message", done));
(async () => {
    const child = fork("child.js");
    const worker = new Worker("./worker.js");
    const [process, thread] = await Promise.all([told(child), told(worker)]);
    const directory = mkdtempSync(join(require("node:os").tmpdir(), "node-"));
    writeFileSync(join(directory, "new"), "14");
    renameSync(join(directory, "new"), join(directory, "file"));
    console.log(`process: ${process}, thread: ${thread}, file: ${readFileSync(join(directory, "file"))}`);
})();
END
    printf 'process.send([1, 2, 3].reduce((sum, n) => sum + n * n, 0));\n' > child.js
    printf 'require("node:worker_threads").parentPort.postMessage([1, 2, 3].reduce((sum, n) => sum + n * n, 0));\n' > worker.js
}

work() {
    node main.js
}

"$@"
