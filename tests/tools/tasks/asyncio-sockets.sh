# task: many connections to an asyncio server on a Unix socket
# needs: python3
# proof: 50 answers
# part: test
set -euo pipefail

work() {
    python3 - <<'END'
import asyncio


async def serve(reader, writer):
    writer.write(await reader.readline())
    writer.close()


async def ask(n):
    reader, writer = await asyncio.open_unix_connection("s")
    writer.write(b"%d\n" % n)
    answer = await reader.readline()
    writer.close()
    return int(answer)


async def main():
    server = await asyncio.start_unix_server(serve, "s")
    answers = await asyncio.gather(*map(ask, range(50)))
    print(f"{len(set(answers))} answers")
    server.close()


asyncio.run(asyncio.wait_for(main(), 20))
END
}

"$@"
