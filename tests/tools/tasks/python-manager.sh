# task: a Python manager process serves a dictionary to other processes
# needs: python3
# proof: {'from': 'the child'}
# part: test
set -euo pipefail

prepare() {
    cat > manager.py <<'END'
import multiprocessing


def child(shared):
    shared["from"] = "the child"


if __name__ == "__main__":
    with multiprocessing.Manager() as manager:
        shared = manager.dict()
        process = multiprocessing.Process(target=child, args=(shared,))
        process.start()
        process.join()
        print(dict(shared))
END
}

work() {
    python3 manager.py
}

"$@"
