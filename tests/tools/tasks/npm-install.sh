# task: npm installs a local package, linked and packed, and runs a script
# needs: node npm
# proof: linked and packed
# places: work tmp
set -euo pipefail

prepare() {
    mkdir linked packed
    for name in linked packed; do
        printf '{"name": "%s", "version": "1.0.0", "main": "index.js"}\n' "$name" > "$name/package.json"
        printf 'module.exports = "%s";\n' "$name" > "$name/index.js"
    done
    printf '{"name": "app", "version": "1.0.0", "scripts": {"hello": "node hello.js"}}\n' > package.json
    printf 'console.log(`${require("linked")} and ${require("packed")}`);\n' > hello.js
}

work() {
    npm pack --silent ./packed
    npm install --offline --no-audit --no-fund ./linked ./packed-1.0.0.tgz
    npm run --silent hello
}

"$@"
