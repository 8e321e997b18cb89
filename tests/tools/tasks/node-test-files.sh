# task: node --test runs two files, each in a separate process
# needs: node
# proof: # pass 2
# part: test
set -euo pipefail

prepare() {
    for name in one two; do
        printf 'const test = require("node:test");\ntest("%s", () => {});\n' "$name" > "$name.test.js"
    done
}

work() {
    node --test --test-reporter=tap
}

"$@"
