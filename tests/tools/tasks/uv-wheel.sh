# task: uv builds a wheel and installs it into a virtual environment
# needs: python3 uv
# proof: hello from the wheel
# variants: default-cache cache-in-project
# places: work tmp
set -euo pipefail

prepare() {
    bash "${BASH_SOURCE[0]%/*}/../package.sh"
}

work() {
    if test "$1" = cache-in-project; then
        export UV_CACHE_DIR=$PWD/.cache
    fi
    uv venv --offline --quiet --python "$(python3 -c 'import sys; print(sys.executable)')" .venv
    uv build --offline --quiet --wheel --out-dir wheels ./package
    uv pip install --offline --quiet wheels/hello-1.0-py3-none-any.whl
    .venv/bin/hello
}

"$@"
