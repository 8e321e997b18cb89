# task: pnpm installs the local packages of a workspace and runs a script
# needs: node pnpm
# proof: linked and copied
# variants: default-store store-in-project
# places: work tmp
set -euo pipefail

prepare() {
    mkdir linked copied app
    for name in linked copied; do
        printf '{"name": "%s", "version": "1.0.0", "main": "index.js"}\n' "$name" > "$name/package.json"
        printf 'module.exports = "%s";\n' "$name" > "$name/index.js"
    done
    printf 'packages:\n  - app\n  - linked\n' > pnpm-workspace.yaml
    cat > app/package.json <<'END'
{"name": "app", "version": "1.0.0", "scripts": {"hello": "node hello.js"},
 "dependencies": {"linked": "workspace:*", "copied": "file:../copied"}}
END
    printf '{"name": "top", "version": "1.0.0", "private": true}\n' > package.json
    printf 'console.log(`${require("linked")} and ${require("copied")}`);\n' > app/hello.js
}

work() {
    local store=()
    if test "$1" = store-in-project; then
        store=(--store-dir .store)
    fi
    pnpm install --offline "${store[@]}"
    pnpm --silent --dir app run hello
}

"$@"
