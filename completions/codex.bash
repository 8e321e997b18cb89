# bash completion for codex

# Paths, one per line, because they may contain spaces.
_codex_paths() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_codex() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "login logout status token models run exec chat sessions schema tool completion help version --help --version" -- "$cur"))
        return
    fi
    case ${COMP_WORDS[1]} in
    login)
        case $prev in
        --auth-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--auth-file --no-browser --device-auth --with-api-key --with-access-token --help status" -- "$cur"))
        ;;
    logout)
        case $prev in
        --auth-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--auth-file --local --all --help" -- "$cur"))
        ;;
    status)
        case $prev in
        --api-key-file) _codex_paths -f; return ;;
        --auth-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--api-key-file --auth-file --json --limits --check --help" -- "$cur"))
        ;;
    token)
        case $prev in
        --auth-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--auth-file --help" -- "$cur"))
        ;;
    models)
        case $prev in
        --api-key-file) _codex_paths -f; return ;;
        --auth-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--api-key-file --auth-file --all --json --help" -- "$cur"))
        ;;
    run)
        case $prev in
        --model | -m) return ;;
        --fallback-model) return ;;
        --effort | -e) COMPREPLY=($(compgen -W "none minimal low medium high xhigh max" -- "$cur")); return ;;
        --verbosity) COMPREPLY=($(compgen -W "low medium high" -- "$cur")); return ;;
        --summary) COMPREPLY=($(compgen -W "auto concise detailed none" -- "$cur")); return ;;
        --image | -i) _codex_paths -f; return ;;
        --file | -f) _codex_paths -f; return ;;
        --instructions) _codex_paths -f; return ;;
        --append-instructions) return ;;
        --output-schema) _codex_paths -f; return ;;
        --output-last-message | -o) _codex_paths -f; return ;;
        --resume) return ;;
        --fork) return ;;
        --cd | -C) _codex_paths -d; return ;;
        --add-dir) _codex_paths -d; return ;;
        --sandbox | -s) COMPREPLY=($(compgen -W "read-only workspace-write danger-full-access" -- "$cur")); return ;;
        --env) return ;;
        --tools) COMPREPLY=($(compgen -W "bash read edit write grep find ls" -- "$cur")); return ;;
        --tool) _codex_paths -f; return ;;
        --fail-on) COMPREPLY=($(compgen -W "tool-error" -- "$cur")); return ;;
        --max-turns) return ;;
        --max-tokens) return ;;
        --max-tool-calls) return ;;
        --max-cost) return ;;
        --timeout) return ;;
        --turn-timeout) return ;;
        --tool-timeout) return ;;
        --idle-timeout) return ;;
        --retries) return ;;
        --wait-for-reset) return ;;
        --input) COMPREPLY=($(compgen -W "jsonl" -- "$cur")); return ;;
        --config-file) _codex_paths -f; return ;;
        --api-key-file) _codex_paths -f; return ;;
        --auth-file) _codex_paths -f; return ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
        esac
        COMPREPLY=($(compgen -W "--model -m --fallback-model --effort -e --verbosity --summary --search --image -i --file -f --instructions --append-instructions --no-agents-md --json --deltas --output-schema --output-last-message -o --resume --last --fork --ephemeral --cd -C --add-dir --sandbox -s --network --no-tmp --env --tools --no-tools --tool --fail-on --max-turns --max-tokens --max-tool-calls --max-cost --timeout --turn-timeout --tool-timeout --idle-timeout --retries --wait-for-reset --buffer --no-stdin --input --config-file --dry-run --api-key-file --auth-file --quiet -q --verbose -v --color --help" -- "$cur"))
        ;;
    exec)
        case $prev in
        --model | -m) return ;;
        --image | -i) _codex_paths -f; return ;;
        --output-schema) _codex_paths -f; return ;;
        --output-last-message | -o) _codex_paths -f; return ;;
        --cd | -C) _codex_paths -d; return ;;
        --add-dir) _codex_paths -d; return ;;
        --sandbox | -s) COMPREPLY=($(compgen -W "read-only workspace-write danger-full-access" -- "$cur")); return ;;
        --config | -c) return ;;
        --thread-source) return ;;
        --cyber-access-program) return ;;
        --enable) return ;;
        --disable) return ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
        esac
        COMPREPLY=($(compgen -W "--model -m --image -i --output-schema --output-last-message -o --ephemeral --cd -C --add-dir --sandbox -s --json --experimental-json --config -c --last --full-auto --approve-for-me --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check --thread-source --cyber-access-program --ignore-user-config --ignore-rules --strict-config --trust --enable --disable --dangerously-bypass-hook-trust --color --help" -- "$cur"))
        ;;
    chat)
        case $prev in
        --model | -m) return ;;
        --fallback-model) return ;;
        --models) return ;;
        --effort | -e) COMPREPLY=($(compgen -W "none minimal low medium high xhigh max" -- "$cur")); return ;;
        --verbosity) COMPREPLY=($(compgen -W "low medium high" -- "$cur")); return ;;
        --summary) COMPREPLY=($(compgen -W "auto concise detailed none" -- "$cur")); return ;;
        --image | -i) _codex_paths -f; return ;;
        --file | -f) _codex_paths -f; return ;;
        --instructions) _codex_paths -f; return ;;
        --append-instructions) return ;;
        --resume) return ;;
        --fork) return ;;
        --cd | -C) _codex_paths -d; return ;;
        --add-dir) _codex_paths -d; return ;;
        --sandbox | -s) COMPREPLY=($(compgen -W "read-only workspace-write danger-full-access" -- "$cur")); return ;;
        --env) return ;;
        --tools) COMPREPLY=($(compgen -W "bash read edit write grep find ls" -- "$cur")); return ;;
        --tool) _codex_paths -f; return ;;
        --max-turns) return ;;
        --max-tokens) return ;;
        --max-tool-calls) return ;;
        --max-cost) return ;;
        --timeout) return ;;
        --turn-timeout) return ;;
        --tool-timeout) return ;;
        --idle-timeout) return ;;
        --retries) return ;;
        --wait-for-reset) return ;;
        --config-file) _codex_paths -f; return ;;
        --api-key-file) _codex_paths -f; return ;;
        --auth-file) _codex_paths -f; return ;;
        --color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
        esac
        COMPREPLY=($(compgen -W "--model -m --fallback-model --models --effort -e --verbosity --summary --search --image -i --file -f --instructions --append-instructions --no-agents-md --resume --last --fork --ephemeral --cd -C --add-dir --sandbox -s --network --no-tmp --env --tools --no-tools --tool --max-turns --max-tokens --max-tool-calls --max-cost --timeout --turn-timeout --tool-timeout --idle-timeout --retries --wait-for-reset --config-file --api-key-file --auth-file --color --help" -- "$cur"))
        ;;
    sessions)
        case $prev in
        --limit) return ;;
        esac
        COMPREPLY=($(compgen -W "--json --here --limit --help" -- "$cur"))
        ;;
    schema)
        COMPREPLY=($(compgen -W "--help events" -- "$cur"))
        ;;
    tool)
        case $prev in
        --cd | -C) _codex_paths -d; return ;;
        --add-dir) _codex_paths -d; return ;;
        --sandbox | -s) COMPREPLY=($(compgen -W "read-only workspace-write danger-full-access" -- "$cur")); return ;;
        --env) return ;;
        --tool-timeout) return ;;
        esac
        COMPREPLY=($(compgen -W "--cd -C --add-dir --sandbox -s --network --no-tmp --env --tool-timeout --help bash read edit write grep find ls" -- "$cur"))
        ;;
    completion)
        COMPREPLY=($(compgen -W "--help bash zsh fish" -- "$cur"))
        ;;
    help)
        COMPREPLY=($(compgen -W "--help login logout status token models run exec chat sessions schema tool completion help version exit-codes environment config sandbox json" -- "$cur"))
        ;;
    version)
        COMPREPLY=($(compgen -W "--help" -- "$cur"))
        ;;
    esac
}
complete -o default -F _codex codex
