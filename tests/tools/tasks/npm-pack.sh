# task: npm packs a package, and installs the archive
# needs: node npm
# proof: hello from packed
# variants: default-cache cache-in-project
set -euo pipefail

prepare() {
    mkdir packed
    printf '{"name": "packed", "version": "1.0.0", "main": "index.js"}\n' > packed/package.json
    printf 'module.exports = "packed";\n' > packed/index.js
    printf '{"name": "app", "version": "1.0.0"}\n' > package.json
}

work() {
    if test "$1" = cache-in-project; then
        export npm_config_cache=$PWD/.npm
    fi
    npm pack ./packed
    npm install --offline --no-audit --no-fund ./packed-1.0.0.tgz
    node -p '`hello from ${require("packed")}`'
}

"$@"
