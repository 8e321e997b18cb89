# task: a headless browser draws a page
# needs: chromium
# proof: a picture
set -euo pipefail

prepare() {
    echo '<!doctype html><h1>hello</h1>' > page.html
}

work() {
    chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$PWD/profile" \
        --screenshot=page.png "file://$PWD/page.html"
    head -c 8 page.png | grep -q PNG
    echo "a picture"
}

"$@"
