# fish completion for codex

# The words before the cursor, from the program on.
function __codex_words
    set -l words (commandline -opc)
    while string match -qr '^\w+=' -- $words[1]
        set -e words[1]
    end
    printf '%s\n' $words
end

# Whether the command is one of these.
function __codex_is
    set -l words (__codex_words)
    contains -- "$words[2]" $argv
end

# Whether the command is this one, with this many arguments (or any number: -), the first of which is this.
function __codex_at
    __codex_is $argv[1]; or return
    set -l places
    set -l before
    for word in (__codex_words)[3..]
        if set -q before[1]
            set before
        else if string match -qr -- '^-.' $word
            contains -- $word @VALUED@; and set before $word
        else
            set -a places $word
        end
    end
    contains -- $argv[2] - (count $places); or return
    test "$argv[3]" = "$places[1]"
end

# The values of a kind that the program lists, with what they are.
function __codex_values
    set -l program (string replace -r '^~/' "$HOME/" -- (__codex_words)[1])
    # A function has no program of its own.
    command -sq -- $program; or set program codex
    set -l word (string replace -r '^-[^=]*=' '' -- (commandline -ct))
    set -l found (command $program __complete $argv[1] "$word" 2>/dev/null </dev/null); or return
    printf '%s\n' $found
end

complete -c codex -f
@COMMANDS@
@FLAGS@
@PLACES@
