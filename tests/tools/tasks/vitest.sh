# task: vitest runs tests in processes and in threads
# needs: node vitest
# proof: ok: {}
# variants: forks threads
set -euo pipefail

prepare() {
    printf '{"name": "app", "version": "1.0.0", "type": "module"}\n' > package.json
    for name in one two; do
        printf 'test("%s", () => { expect(1 + 1).toBe(2); });\n' "$name" > "$name.test.ts"
    done
}

work() {
    vitest run --globals --pool "$1" --reporter tap-flat | tee log
    test "$(grep -c '^ok ' log)" = 2
    echo "ok: $1"
}

"$@"
