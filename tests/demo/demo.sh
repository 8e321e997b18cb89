#!/bin/sh
# The main job against the stand-in service, step by step. `make demo` builds both programs and runs this.
# Everything happens in a temporary directory and on a free port of this machine, and is gone afterwards.
set -eu

codex=$(realpath "$CODEX")
standin=$(realpath "$STANDIN")
script=$(realpath "$(dirname "$0")/script.json")
place=$(mktemp -d)
trap 'exec 3>&-; rm -rf "$place"' EXIT
cd "$place"

# The stand-in serves until its standard input ends, which is when this script does.
mkfifo hold
"$standin" --port 0 --script "$script" --until-eof < hold > address &
exec 3> hold
until grep -q http address; do sleep 0.05; done
url=$(sed 's/listening on //' address)

export CODEX_RUN_BASE_URL="$url/backend-api/codex"
export CODEX_ACCESS_TOKEN="$("$standin" --print-token)"
export NO_COLOR=1
unset CODEX_API_KEY OPENAI_API_KEY CODEX_MODEL

step() { printf '\n== %s\n' "$1"; }
# Shows a command as it is typed, then runs it and shows its exit code.
show() {
    printf '$ %s\n' "$1"
    code=0
    eval "$1" || code=$?
    printf '(exit code %s)\n' "$code"
}
codex() { "$codex" "$@"; }

step 'A prompt is piped in, and the answer streams out as it is made.'
show 'echo "Explain in one sentence what a pipe is." | codex run --no-tools'

step 'Exactly this would be sent; nothing is hidden. The secret is not shown.'
show 'codex run --no-tools --dry-run hi'

step 'The model calls tools: it reads a file, changes it, runs it. Each call is a line on standard error.'
printf 'echo hey\n' > greet.sh
show 'codex run -s danger-full-access "Make the greeting polite" > answer.txt 2> calls.txt'

step 'Standard output holds the answer and nothing else ...'
show 'cat answer.txt'

step '... standard error everything else ...'
show 'cat calls.txt'

step '... and this is what the tools did.'
show 'cat greet.sh'

step 'An answer that is cut is never a success, whatever was printed before.'
show 'codex run --no-tools "Tell me everything"'

step 'Without credentials no connection is opened.'
show 'CODEX_ACCESS_TOKEN= codex run --no-tools hi'

step 'A mistake is named, with the nearest that is right.'
show 'codex run --no-tolls hi'
