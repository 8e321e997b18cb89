# task: Python processes share memory and semaphores
# needs: python3
# proof: seen by the child: shared
# part: test
set -euo pipefail

prepare() {
    cat > memory.py <<'END'
import multiprocessing
from multiprocessing.shared_memory import SharedMemory


def child(name, lock, queue):
    memory = SharedMemory(name)
    with lock:
        queue.put(bytes(memory.buf[:6]).decode())
    memory.close()


if __name__ == "__main__":
    memory = SharedMemory(create=True, size=64)
    memory.buf[:6] = b"shared"
    lock, queue = multiprocessing.Lock(), multiprocessing.Queue()
    process = multiprocessing.Process(target=child, args=(memory.name, lock, queue))
    process.start()
    print("seen by the child:", queue.get(timeout=20))
    process.join()
    memory.close()
    memory.unlink()
END
}

work() {
    python3 memory.py
}

"$@"
