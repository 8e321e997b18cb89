# bash completion for codex

# Sets `kind` to what the value of this flag is: nothing without a value, else `files`, `directories`, `any`, words after a
# `=`, or a kind that the program lists. A flag with `=` is one whose value is in the same word.
_codex_value_of() {
    kind=
    case ${1%=} in
@VALUES@
    esac
}

# Prints what there is of this kind.
_codex_list() {
    local program=$1
    case $kind in
    files) compgen -f -- "${value//\\/}" ;;
    directories) compgen -d -- "${value//\\/}" ;;
    =*) printf '%s\n' ${kind#=} ;;
    *)
        [[ $program != '~/'* ]] || program=$HOME${program:1}
        # An alias has no program of its own.
        program=$(type -P -- "$program") || program=$(type -P codex) || return
        program=$("$program" __complete "$kind" "$value" 2>/dev/null </dev/null) && printf '%s\n' "$program"
        ;;
    esac
}

_codex() {
    local kind= value= before= last= ended= flags=--help word i at IFS=$' \t\n'
    local words=() places=() about=()
    COMPREPLY=()

    # bash takes words apart at `=` and `:`; here they are whole.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 2)) && [[ $word == [=:]* || ($last == [=:]* && $word != -*) ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        last=$word
    done
    local cur=${words[${#words[@]} - 1]#[\"\']}
    # bash replaces only this end of the word, and not what is kept before it.
    [[ $last != [=:]* ]] || last=
    local kept=${cur%"${last#[\"\']}"}

    for ((i = 2; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $kind ]]; then
            kind= # this was the value of the flag before it
        elif [[ $ended || $word != -?* ]]; then
            places+=("$word")
        elif [[ $word == -- ]]; then
            ended=yes
        elif [[ $word == --* ]]; then
            [[ $word == *=* ]] || _codex_value_of "$word"
        else
            # Of several short flags, the first with a value has the rest as its value.
            for ((at = 1; at < ${#word}; at++)); do
                _codex_value_of "-${word:at:1}"
                [[ $kind ]] || continue
                ((at == ${#word} - 1)) || kind=
                break
            done
        fi
    done

    case ${words[1]} in
@FLAGS@
    esac
    if [[ $kind ]]; then
        value=$cur
    elif ((${#words[@]} == 2)); then
        kind="=@COMMANDS@ -h --help -V --version" value=$cur
    elif [[ $ended || $cur != -* ]]; then
        value=$cur
        # After --, a word such as `resume` is no more than a word.
        case ${words[1]}${ended:+ --}:${places[0]-}:${#places[@]} in
@PLACES@
        esac
    elif [[ $cur == --*=* ]]; then
        before=${cur%%=*}= value=${cur#*=}
        _codex_value_of "$before"
    else
        kind="=$flags -h" value=$cur
    fi

    case $kind in
    '' | any) return ;;
    files | directories) compopt -o filenames 2>/dev/null ;;
    @LISTS@) compopt -o nospace -o nosort 2>/dev/null ;;
    [!=]*) compopt -o nosort 2>/dev/null ;;
    esac
    while IFS= read -r word; do
        last=${word%%$'\t'*}
        [[ $last == "$value"* || $kind == files || $kind == directories ]] || continue
        last=$before$last
        COMPREPLY+=("${last#"$kept"}")
        about+=("${last#"$kept"}${word#"${word%%$'\t'*}"}")
    done < <(_codex_list "${words[0]}")
    # Where bash only shows the values, it also shows what they are.
    if ((${#COMPREPLY[@]} > 1)) && [[ ${COMP_TYPE-} == 33 || ${COMP_TYPE-} == 63 ]]; then
        COMPREPLY=("${about[@]/$'\t'/  }")
    fi
}
complete -F _codex codex
