# bash completion for codex

# Sets `kind` to what the value of this flag is: nothing without a value, else `files`, `directories`, `any`, words after a
# `=`, or a kind that the program lists. A flag with `=` is one whose value is in the same word.
_codex_value_of() {
    kind=
    case ${1%=} in
    --model | -m) kind=models ;;
    --fallback-model) kind=model-list ;;
    --models) kind=model-efforts ;;
    --effort | -e) kind='=none minimal low medium high xhigh max' ;;
    --verbosity) kind='=low medium high' ;;
    --summary) kind='=auto concise detailed none' ;;
    --search) [[ $1 != *= ]] || kind='=live cached' ;;
    --image | -i | --file | -f | --instructions | --output-schema | --output-last-message | -o | --tool | --mcp | --config-file | --api-key-file | --auth-file) kind=files ;;
    --append-instructions | --limit | --mcp-tools | --max-turns | --max-tokens | --max-tool-calls | --max-cost | --timeout | --turn-timeout | --tool-timeout | --idle-timeout | --retries | --wait-for-reset | --config | -c | --thread-source | --cyber-access-program | --enable | --disable) kind=any ;;
    --resume | --fork) kind=sessions ;;
    --cd | -C | --add-dir) kind=directories ;;
    --sandbox | -s) kind='=read-only workspace-write danger-full-access' ;;
    --env) kind=env ;;
    --tools) kind=tools ;;
    --fail-on) kind='=tool-error' ;;
    --input) kind='=jsonl' ;;
    --compact) kind='=auto off' ;;
    --color) kind='=auto always never' ;;
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
    login) flags+=' --auth-file --no-browser --device-auth --with-api-key --with-access-token' ;;
    logout) flags+=' --auth-file --local --all' ;;
    status) flags+=' --api-key-file --auth-file --json --limits --check' ;;
    token) flags+=' --auth-file' ;;
    models) flags+=' --api-key-file --auth-file --all --json' ;;
    run) flags+=' --model -m --fallback-model --effort -e --verbosity --summary --search --image -i --file -f --instructions --append-instructions --no-agents-md --json --deltas --output-schema --output-last-message -o --resume --last --fork --ephemeral --cd -C --add-dir --sandbox -s --network --no-tmp --env --tools --no-tools --tool --mcp --mcp-tools --no-mcp --fail-on --max-turns --max-tokens --max-tool-calls --max-cost --timeout --turn-timeout --tool-timeout --idle-timeout --retries --wait-for-reset --buffer --no-stdin --input --config-file --dry-run --compact --api-key-file --auth-file --quiet -q --verbose -v --color' ;;
    exec) flags+=' --model -m --image -i --output-schema --output-last-message -o --ephemeral --cd -C --add-dir --sandbox -s --json --experimental-json --config -c --last --full-auto --approve-for-me --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check --thread-source --cyber-access-program --ignore-user-config --ignore-rules --strict-config --trust --enable --disable --dangerously-bypass-hook-trust --color' ;;
    chat) flags+=' --model -m --fallback-model --models --effort -e --verbosity --summary --search --image -i --file -f --instructions --append-instructions --no-agents-md --resume --last --fork --ephemeral --cd -C --add-dir --sandbox -s --network --no-tmp --env --tools --no-tools --tool --mcp --mcp-tools --no-mcp --max-turns --max-tokens --max-tool-calls --max-cost --timeout --turn-timeout --tool-timeout --idle-timeout --retries --wait-for-reset --config-file --compact --api-key-file --auth-file --color' ;;
    sessions) flags+=' --json --here --limit' ;;
    mcp) flags+=' --json --cd -C --add-dir --sandbox -s --network --no-tmp --env --mcp --mcp-tools --no-mcp --tool-timeout' ;;
    tool) flags+=' --cd -C --add-dir --sandbox -s --network --no-tmp --env --tool-timeout' ;;
    esac
    if [[ $kind ]]; then
        value=$cur
    elif ((${#words[@]} == 2)); then
        kind="=login logout status token models run exec chat sessions mcp schema tool completion help version -h --help -V --version" value=$cur
    elif [[ $ended || $cur != -* ]]; then
        value=$cur
        # After --, a word such as `resume` is no more than a word.
        case ${words[1]}${ended:+ --}:${places[0]-}:${#places[@]} in
        login::0) kind='=status' ;;
        exec::0) kind='=resume fork' ;;
        exec:resume:1) kind=sessions ;;
        exec:fork:1) kind=sessions ;;
        sessions::0) kind='=show rm' ;;
        sessions:show:1) kind=sessions ;;
        sessions:rm:*) kind=sessions ;;
        mcp::0) kind='=list' ;;
        schema::0) kind='=events' ;;
        tool::0) kind='=bash read edit write grep find ls' ;;
        completion::0) kind='=bash zsh fish' ;;
        help::0) kind='=login logout status token models run exec chat sessions mcp schema tool completion help version exit-codes environment config sandbox json compaction' ;;
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
    model-list | model-efforts | tools) compopt -o nospace -o nosort 2>/dev/null ;;
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
