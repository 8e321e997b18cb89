# task: pytest runs a test with a pool of processes and an executor
# needs: pytest
# proof: 2 passed: {}
# variants: fork spawn forkserver
set -euo pipefail

prepare() {
    cat > test_pool.py <<'END'
import concurrent.futures
import multiprocessing
import os


def square(n):
    return n * n


context = multiprocessing.get_context(os.environ["METHOD"])


def test_pool(tmp_path):
    (tmp_path / "file").write_text("x")
    with context.Pool(2) as pool:
        assert pool.map(square, [1, 2, 3]) == [1, 4, 9]


def test_executor():
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        assert list(executor.map(square, [1, 2, 3])) == [1, 4, 9]
END
}

work() {
    METHOD=$1 pytest -q | tee log
    echo "$(grep -o '[0-9]* passed' log): $1"
}

"$@"
