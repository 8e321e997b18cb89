#!/bin/sh
# The main job against the stand-in service, step by step. `make demo` builds both programs and runs this.
# Everything happens in a temporary directory and on a free port of this machine, and is gone afterwards.
# A step that does not end as it should ends the demo with exit code 1.
set -eu
exec < /dev/null

codex=$(realpath "$CODEX")
standin=$(realpath "$STANDIN")
script=$(realpath "$(dirname "$0")/script.json")
place=$(mktemp -d)
trap 'exec 3>&-; rm -rf "$place"' EXIT
trap 'exit 130' HUP INT TERM
cd "$place"

# The stand-in serves until its standard input ends, which is when this script does.
mkfifo hold
"$standin" --port 0 --script "$script" --until-eof < hold > address &
serving=$!
exec 3<> hold
until grep -q http address; do
    kill -0 "$serving" 2> /dev/null || { echo "the stand-in service does not start" >&2; exit 1; }
    sleep 0.05
done
url=$(sed 's/listening on //' address)

unset CODEX_API_KEY OPENAI_API_KEY OPENAI_BASE_URL CODEX_MODEL
export CODEX_RUN_BASE_URL="$url/backend-api/codex"
CODEX_ACCESS_TOKEN=$("$standin" --print-token)
export CODEX_ACCESS_TOKEN
codex() { "$codex" "$@" 3>&-; }

step() { printf '\n== %s\n' "$1"; }
# Shows a command as it is typed, runs it, and shows its exit code, which must be the first argument.
show() {
    printf '$ %s\n' "$2"
    code=0
    eval "$2" || code=$?
    printf '(exit code %s)\n' "$code"
    [ "$code" = "$1" ] || { echo "it should have been $1" >&2; exit 1; }
}

step 'A prompt is piped in, and the answer streams out as it is made.'
show 0 'echo "Explain in one sentence what a pipe is." | codex run --no-tools'

step 'Exactly this would be sent; nothing is hidden. The secret is not shown.'
show 0 'codex run --no-tools --dry-run hi'

step 'The model calls tools: it reads a file, changes it, runs it. Each call is a line on standard error.'
printf 'echo hey\n' > greet.sh
show 0 'codex run -s danger-full-access "Make the greeting polite" > answer.txt 2> calls.txt'

step 'Standard output holds the answer and nothing else ...'
show 0 'cat answer.txt'

step '... standard error everything else ...'
show 0 'cat calls.txt'

step '... and this is what the tools did.'
show 0 'cat greet.sh'

step 'An answer that is cut is never a success, whatever was printed before.'
show 8 'codex run --no-tools "Tell me everything"'

step 'Without credentials no connection is opened.'
show 4 'CODEX_ACCESS_TOKEN= codex run --no-tools hi'

step 'A mistake is named, with the nearest that is right.'
show 2 'codex run --no-tolls hi'
