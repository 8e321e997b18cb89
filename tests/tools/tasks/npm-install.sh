# task: npm installs a local package as a link, and runs a script
# needs: node npm
# proof: hello from linked
# places: work tmp
set -euo pipefail

prepare() {
    mkdir linked
    printf '{"name": "linked", "version": "1.0.0", "main": "index.js"}\n' > linked/package.json
    printf 'module.exports = "linked";\n' > linked/index.js
    printf '{"name": "app", "version": "1.0.0", "scripts": {"hello": "node hello.js"}}\n' > package.json
    printf 'console.log(`hello from ${require("linked")}`);\n' > hello.js
}

work() {
    npm install --offline --no-audit --no-fund ./linked
    npm run --silent hello
}

"$@"
