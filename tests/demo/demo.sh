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
"$standin" --port 0 --script "$script" --log requests.txt --until-eof < hold > address &
serving=$!
exec 3<> hold
until grep -q http address; do
    kill -0 "$serving" 2> /dev/null || { echo "the stand-in service does not start" >&2; exit 1; }
    sleep 0.05
done
url=$(sed 's/listening on //' address)

unset CODEX_ACCESS_TOKEN CODEX_API_KEY OPENAI_API_KEY OPENAI_BASE_URL CODEX_MODEL CODEX_RUN_AUTH_FILE
export CODEX_RUN_HOME="$place/home" CODEX_RUN_ISSUER="$url" CODEX_RUN_BASE_URL="$url/backend-api/codex"
# The stand-in also plays the browser: it opens the address, allows, and follows the way back.
export BROWSER="$standin --browse"
PATH="$(dirname "$codex"):$PATH"
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

step 'Sign in. The browser opens, here one that allows by itself, and comes back with a code for the tokens.'
show 0 'codex login'

step 'Which credential is used, and why; how much of the plan is used up.'
show 0 'codex status --limits'

step 'Which models there are, what each takes, and which one is asked.'
show 0 'codex models'

step 'A prompt is piped in, and the answer streams out as it is made.'
show 0 'echo "Explain in one sentence what a pipe is." | codex run --no-tools'

step 'Exactly this would be sent; nothing is hidden. The secret is not shown.'
show 0 'codex run --no-tools --dry-run hi'

step 'The model calls tools: it reads a file, changes it, runs it. Each call is a line on standard error.'
mkdir work && printf 'echo hey\n' > work/greet.sh
show 0 'codex run -C work -s workspace-write "Make the greeting polite" > answer.txt 2> calls.txt'

step 'Standard output holds the answer and nothing else ...'
show 0 'cat answer.txt'

step '... standard error everything else ...'
show 0 'cat calls.txt'

step '... and this is what the tools did.'
show 0 'cat work/greet.sh'

step 'Tools run behind walls: this one may write nowhere, and read no credential.'
show 1 'echo "{\"command\": \"echo x > hello; cat home/auth.json\"}" | codex tool bash'

step 'Programs get JSON lines; the last one says how it ended.'
show 0 'codex run --json --no-tools "Say hello"'

step 'Conversations are stored, and gone on with.'
show 0 'codex run --last --no-tools "And once more"'
show 0 'codex sessions'

step 'An answer that is cut is asked for again, and never a success, whatever was printed before.'
show 8 'codex run --no-tools --retries 2 "Tell me everything"'

step 'A mistake is named, with the nearest that is right.'
show 2 'codex run --no-tolls hi'

step 'Twenty at once with a token that has ended, and all of them answer ...'
sed 's/"expires": [0-9]*/"expires": 1000/' home/auth.json > ended && cat ended > home/auth.json
show 0 'seq 20 | xargs -P 20 -I {} codex run --no-tools --no-stdin "Say {}" > answers.txt'
show 0 'wc -l < answers.txt'

step '... because one of them renews it for all: so many renewals has the service seen.'
show 0 'grep -c grant_type=refresh_token requests.txt'

step 'Sign out: the tokens are revoked, and nothing of them stays.'
show 0 'codex logout'

step 'Without credentials no connection is opened.'
show 4 'codex run --no-tools hi'
