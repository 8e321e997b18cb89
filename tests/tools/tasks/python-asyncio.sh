# task: Python's asyncio starts processes and threads
# needs: python3
# proof: process: 3, thread: 3
# part: test
set -euo pipefail

prepare() {
    cat > main.py <<'END'
import asyncio


async def main():
    process = await asyncio.create_subprocess_exec("printf", "abc", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    print(f"process: {len(output)}, thread: {await asyncio.to_thread(len, 'abc')}")


asyncio.run(main())
END
}

work() {
    python3 main.py
}

"$@"
