# task: pip builds a wheel and installs it into a virtual environment
# needs: python3
# proof: hello from the wheel
# places: work tmp
set -euo pipefail

prepare() {
    bash "${BASH_SOURCE[0]%/*}/../package.sh"
}

work() {
    python3 -m venv venv
    venv/bin/python -m pip wheel --disable-pip-version-check --quiet --no-index --no-deps --wheel-dir wheels ./package
    venv/bin/python -m pip install --disable-pip-version-check --quiet --no-index wheels/hello-1.0-py3-none-any.whl
    venv/bin/hello
}

"$@"
