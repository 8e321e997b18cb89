# task: pytest spreads tests over processes (xdist)
# needs: pytest pytest-xdist
# proof: 4 passed
set -euo pipefail

prepare() {
    printf 'import pytest\n\n\n@pytest.mark.parametrize("n", range(4))\ndef test_it(n, tmp_path):\n    (tmp_path / "f").write_text("x")\n' > test_it.py
}

work() {
    pytest -q -n 2 | tee log
    grep -o '4 passed' log
}

"$@"
