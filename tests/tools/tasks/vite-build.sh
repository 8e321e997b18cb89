# task: vite builds a page
# needs: node vite
# proof: the page has its script
set -euo pipefail

prepare() {
    printf '{"name": "page", "version": "1.0.0", "type": "module"}\n' > package.json
    printf '<!doctype html><script type="module" src="/main.ts"></script>\n' > index.html
    printf 'document.body.textContent = "hello" as string;\n' > main.ts
}

work() {
    vite build
    grep -q '/assets/index-.*\.js' dist/index.html && grep -q hello dist/assets/*.js
    echo "the page has its script"
}

"$@"
