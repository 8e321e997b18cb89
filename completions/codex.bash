# bash completion for codex

# Paths, one a line, so that blanks in them stay.
_codex_paths() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_codex() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "run tool completion help --help --version" -- "$cur"))
        return
    fi
    case ${COMP_WORDS[1]} in
    run)
        case $prev in
        --model | -m) return ;;
        --effort | -e) COMPREPLY=($(compgen -W "none minimal low medium high xhigh max" -- "$cur")); return ;;
        --instructions) _codex_paths -f; return ;;
        --append-instructions) return ;;
        --cd | -C) _codex_paths -d; return ;;
        --sandbox | -s) COMPREPLY=($(compgen -W "read-only workspace-write danger-full-access" -- "$cur")); return ;;
        --tools) COMPREPLY=($(compgen -W "bash read edit write" -- "$cur")); return ;;
        --max-turns) return ;;
        --timeout) return ;;
        --tool-timeout) return ;;
        --api-key-file) _codex_paths -f; return ;;
        esac
        COMPREPLY=($(compgen -W "--model -m --effort -e --instructions --append-instructions --cd -C --sandbox -s --tools --no-tools --max-turns --timeout --tool-timeout --no-stdin --dry-run --api-key-file --quiet -q --verbose -v --help" -- "$cur"))
        ;;
    tool)
        case $prev in
        --tool-timeout) return ;;
        esac
        COMPREPLY=($(compgen -W "--tool-timeout --help bash read edit write" -- "$cur"))
        ;;
    completion)
        COMPREPLY=($(compgen -W "--help bash zsh fish" -- "$cur"))
        ;;
    help)
        COMPREPLY=($(compgen -W "--help run tool completion help exit-codes" -- "$cur"))
        ;;
    esac
}
complete -o default -F _codex codex
