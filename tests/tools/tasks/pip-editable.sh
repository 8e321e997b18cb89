# task: pip installs a package in place, from its directory
# needs: python3
# proof: hello from the wheel
set -euo pipefail

prepare() {
    bash "${BASH_SOURCE[0]%/*}/../package.sh"
}

work() {
    python3 -m venv venv
    venv/bin/python -m pip install --disable-pip-version-check --quiet --no-index --editable ./package
    venv/bin/hello
}

"$@"
