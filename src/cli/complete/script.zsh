#compdef codex

# Offers the values of a kind that the program lists, with what they are.
_codex_values() {
    local before=${(M)PREFIX##*,} text line value
    local -a found options
    text=$(command $program __complete $1 "$PREFIX" 2>/dev/null </dev/null) || return 1
    # Of a list, only the last element is shown.
    compset -P '*,'
    [[ $1 != (@LISTS@) ]] || options=(-S '')
    for line in ${(f)text}; do
        value=${line%%$'\t'*}
        line=${${line#"$value"}#$'\t'}
        value=${${value#"$before"}//:/\\:}
        found+=("$value${line:+:$line}")
    done
    _describe -V $1 found "${options[@]}"
}

# The same after a word, for pairs of a word and a kind.
_codex_after() {
    local word kind
    for word kind; do
        [[ -z ${(M)words[2,CURRENT-1]:#$word} ]] || { _codex_values $kind; return }
    done
    return 1
}

# Adds what these commands take.
_codex_takes() {
    [[ " $1 " != *" $line[1] "* ]] || specs+=("${@[2,-1]}")
}

_codex() {
    local curcontext=$curcontext state line program=${~${(Q)words[1]}}
    local -a commands specs
    # An alias has no program of its own.
    whence -p -- $program >/dev/null || program=codex
    _arguments -C \
        '(- : *)'{-h,--help}'[help]' \
        '(- : *)'{-V,--version}'[name and version]' \
        '1: :->command' '*:: :->rest' && return
    case $state in
    command)
        commands=(
@COMMANDS@
        )
        _describe command commands
        ;;
    rest)
        curcontext=${curcontext%:*:*}:codex-$line[1]:
@SPECS@
        # Further arguments of which nothing is known. An empty action would show a message instead of the flags.
        _codex_takes '@ENDING@' '*: : _codex_after'
        specs+=('(- : *)'{-h,--help}'[help for this command]')
        _arguments -s -S $specs
        ;;
    esac
}

if [ "$funcstack[1]" = _codex ]; then
    _codex "$@"
else
    compdef _codex codex
fi
