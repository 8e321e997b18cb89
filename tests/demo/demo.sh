#!/bin/sh
# The main features with the stand-in service, step by step. `make demo` builds both programs and runs this.
# Everything happens in a temporary directory and on a free port of this machine, and is gone afterwards.
# A step with an unexpected exit code ends the demo with exit code 1.
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
# The stand-in also plays the browser: it opens the address, allows, and follows the redirect.
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

step 'Sign in. The browser opens, here one that allows by itself, and returns with a code for the tokens.'
show 0 'codex login'

step 'The credential in use, and why; how much of the plan is used up.'
show 0 'codex status --limits'

step 'The models, what each accepts, and which one is the default.'
show 0 'codex models'

step 'A prompt is piped in, and the answer streams out as it arrives.'
show 0 'echo "Explain in one sentence what a pipe is." | codex run --no-tools'

step 'A dry run shows exactly what would be sent, except the secret.'
show 0 'codex run --no-tools --dry-run hi'

step 'The model calls tools: it reads a file, changes it, runs it. Each call is a line on standard error.'
mkdir work && printf 'echo hey\n' > work/greet.sh
show 0 'codex run -C work -s workspace-write "Make the greeting polite" > answer.txt 2> calls.txt'

step 'Standard output contains the answer and nothing else ...'
show 0 'cat answer.txt'

step '... standard error everything else ...'
show 0 'cat calls.txt'

step '... and this is what the tools did.'
show 0 'cat work/greet.sh'

step 'Tools run in a sandbox: this one cannot write anywhere, or read a credential.'
show 1 'echo "{\"command\": \"echo x > hello; cat home/auth.json\"}" | codex tool bash'

step 'Programs get JSON lines; the last one says how the run ended.'
show 0 'codex run --json --no-tools "Say hello"'

step 'Conversations are stored, and can be resumed.'
show 0 'codex run --last --no-tools "And once more"'
show 0 'codex sessions'

step 'A broken answer is requested again, and is never a success, whatever was printed before.'
show 8 'codex run --no-tools --retries 2 "Tell me everything"'

step 'A mistake is named, with a suggestion.'
show 2 'codex run --no-tolls hi'

step 'Twenty runs at once with an expired token, and all of them answer ...'
sed 's/"expires": [0-9]*/"expires": 1000/' home/auth.json > ended && cat ended > home/auth.json
show 0 'seq 20 | xargs -P 20 -I {} codex run --no-tools --no-stdin "Say {}" > answers.txt'
show 0 'wc -l < answers.txt'

step '... because one of them renews it for all: the service has seen this many renewals.'
show 0 'grep -c grant_type=refresh_token requests.txt'

step 'Sign out: the tokens are revoked and removed.'
show 0 'codex logout'

step 'Without credentials no connection is opened.'
show 4 'codex run --no-tools hi'
