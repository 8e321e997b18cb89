# task: a pool of processes in Python
# needs: python3
# proof: {}: [1, 4, 9]
# variants: fork spawn forkserver
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    cat > pool.py <<'END'
import multiprocessing
import sys


def square(n):
    return n * n


if __name__ == "__main__":
    method = sys.argv[1]
    with multiprocessing.get_context(method).Pool(2) as pool:
        print(f"{method}: {pool.map(square, [1, 2, 3])}")
END
}

work() {
    python3 pool.py "$1"
}

"$@"
