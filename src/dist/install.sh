#!/bin/sh
# Installs the program, its manual pages and its completions, or removes what an earlier call has installed. `make install` and
# `make uninstall` call this; an unpacked archive has it beside the program.
#
#     install.sh [install | uninstall] [PREFIX=DIR] [DESTDIR=DIR] [NAME=codex] [PROGRAM=FILE]
#
# PREFIX/share/codex-run has a record of each name: the files, with their checksums, and in `directories` those that were made.
# Only what is recorded is removed or replaced: a file of another program under the same name is refused before anything is
# changed, and one that has taken the place of an installed file since then stays.
set -eu
umask 022
unset CDPATH

here=$(cd -P -- "$(dirname -- "$0")" && pwd)
if [ -d "$here/man" ]; then source=$here; else source=$(cd -P -- "$here/../.." && pwd); fi
if [ -f "$source/Makefile" ]; then again=make; else again=./install.sh; fi

action=install PREFIX=${HOME:-}/.local DESTDIR= NAME=codex PROGRAM=$source/codex

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'install: hint: %s\n' "$2" >&2
    exit 1
}

for word; do
    case $word in
    install | uninstall) action=$word ;;
    PREFIX=*) PREFIX=${word#*=} ;;
    DESTDIR=*) DESTDIR=${word#*=} ;;
    NAME=*) NAME=${word#*=} ;;
    PROGRAM=*) PROGRAM=${word#*=} ;;
    *) fail "unknown argument $word" "install.sh [install | uninstall] [PREFIX=DIR] [DESTDIR=DIR] [NAME=codex] [PROGRAM=FILE]" ;;
    esac
done
case $NAME in
'' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) fail "NAME=$NAME is no name of a command: letters, digits and . _ - are possible" ;;
esac
case $PREFIX in
/*) ;;
'') fail "PREFIX is empty" ;;
*) PREFIX=$(pwd)/$PREFIX ;;
esac
while [ "$PREFIX" != "${PREFIX%/}" ]; do PREFIX=${PREFIX%/}; done
case $PREFIX$DESTDIR in *'
'*) fail "PREFIX and DESTDIR cannot contain a line break" ;; esac

bin=$PREFIX/bin
share=$PREFIX/share
record=$share/codex-run/$NAME.installed
directories=$share/codex-run/directories

# A word as it is typed in a shell.
typed() {
    case $1 in
    *[!A-Za-z0-9_./:@%+,=-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf '%s' "$1" ;;
    esac
}
options=
[ "$PREFIX" = "${HOME:-}/.local" ] || options="$options PREFIX=$(typed "$PREFIX")"
[ -z "$DESTDIR" ] || options="$options DESTDIR=$(typed "$DESTDIR")"
[ "$NAME" = codex ] || options="$options NAME=$NAME"

work=$(mktemp -d)
step=$work/step # the file that is being put into place
trap 'rm -rf "$work" "$step"' EXIT
trap 'exit 130' HUP INT TERM

sum_of() { cksum <"$1" | tr '\t' ' '; }

# Whether the record names this file as it is now.
is_recorded() {
    [ -f "$DESTDIR$record" ] && [ -f "$DESTDIR$1" ] || return 1
    grep -qxF "$(sum_of "$DESTDIR$1") $1" "$DESTDIR$record"
}

# Whether this file is the program of codex-run, of any version.
is_program() { [ -f "$1" ] && LC_ALL=C grep -q "independent client, not OpenAI's Codex CLI" "$1"; }

# The directory, or the nearest one above it that is there, can be written.
check_writable() {
    folder=$1
    while ! [ -d "$folder" ]; do folder=$(dirname -- "$folder"); done
    [ -w "$folder" ] || fail "$folder cannot be written" "use another PREFIX, or sudo; PROGRAM=FILE installs what is built already"
}

# ---- uninstall ----

uninstall() {
    if ! [ -f "$DESTDIR$record" ]; then
        say "nothing to remove: $DESTDIR$record, the record of an installation, is not there"
        ! is_program "$DESTDIR$bin/$NAME" || say "  $DESTDIR$bin/$NAME is a codex-run that came in another way, and stays"
        return
    fi
    check_writable "$DESTDIR${record%/*}"
    sed 's/^[0-9]* [0-9]* //' "$DESTDIR$record" | sort -u >"$work/files"
    say "removing from $DESTDIR$PREFIX:"
    while IFS= read -r file; do
        if is_recorded "$file"; then
            rm -f "$DESTDIR$file"
            say "  ${file#"$PREFIX"/}"
        elif [ -e "$DESTDIR$file" ] || [ -L "$DESTDIR$file" ]; then
            say "  ${file#"$PREFIX"/} stays: it is not what was installed"
        fi
    done <"$work/files"
    rm -f "$DESTDIR$record"
    # Directories that are still used, under another name or by others, are not empty.
    sort -u "$DESTDIR$directories" >"$work/directories" 2>/dev/null || :
    set -- "$DESTDIR${record%/*}"/*.installed
    [ -e "$1" ] || rm -f "$DESTDIR$directories"
    sort -r "$work/directories" | while IFS= read -r folder; do rmdir "$DESTDIR$folder" 2>/dev/null || :; done
    say "removed."
    [ -n "$DESTDIR" ] || say "What stays: CODEX_RUN_HOME, here ${CODEX_RUN_HOME:-${HOME:-}/.codex-run}: the sign-in, settings and conversations of a user."
}

# ---- install ----

# The texts with another name of the command. In completions every word `codex` is replaced, and the names of functions; in
# manual pages the headings, the synopsis, references and examples, but no sentences: some are about the official client.
kept=$(printf '\001') new=$(printf '\002') # stand for `codex-run`, and for the new name until every `codex` is replaced
upper=$(printf '%s' "$NAME" | tr '[:lower:]' '[:upper:]')
identifier=$(printf '%s' "$NAME" | tr -c 'A-Za-z0-9_' '_')
words="s/(^|[^A-Za-z0-9_./-])codex(\$|[^A-Za-z0-9_/])/\\1$new\\2/g"
renamed() {
    case $NAME:$1 in
    codex:*) cat "$1" ;;
    *.[1-9])
        sed -E "s/codex(\\\\?-)run/$kept\\1run/g
            /^\\.TH/s/CODEX/$upper/g
            /^\\.(TH|SS|SH|B|BR|BI|RB|IP|TP|Nm|Xr) /{
                $words
                $words
            }
            s/\\\\fBcodex/\\\\fB$new/g
            s/^codex( [a-z\\\\]|\\\\-)/$new\\1/
            /^\\.(EX|nf)/,/^\\.(EE|fi)/s/(^|[^A-Za-z0-9_./-])codex( [a-z\\\\]|\")/\\1$new\\2/g
            s/$new/$NAME/g
            s/$kept/codex/g" "$1"
        ;;
    *)
        # zsh takes the function that is called like the file; names of functions in other shells have no `-`.
        case $1 in */_*) function=$NAME ;; *) function=$identifier ;; esac
        sed -E "s/codex-run/$kept/g; s/_codex/_$function/g; $words; $words; s/$new/$NAME/g; s/$kept/codex-run/g" "$1"
        ;;
    esac
}

# Where a file of `man` or `completions` is installed.
place_of() {
    file=${1##*/}
    case $file in
    codex*.[1-9]) say "$share/man/man${file##*.}/$NAME${file#codex}" ;;
    *.bash) say "$share/bash-completion/completions/$NAME" ;;
    *.fish) say "$share/fish/vendor_completions.d/$NAME.fish" ;;
    _*) say "$share/zsh/site-functions/_$NAME" ;;
    esac
}

# Makes a directory and those above it, and records the new ones.
make_directory() {
    folder=$1 new=
    while [ -n "$folder" ] && ! [ -d "$DESTDIR$folder" ]; do
        new="$folder
$new"
        folder=${folder%/*}
    done
    mkdir -p "$DESTDIR$1"
    # The first call makes the directory of this list.
    [ -z "$new" ] || printf '%s' "$new" >>"$DESTDIR$directories"
}

# put FILE PLACE MODE: the file appears under its name in one step, so that a running program is not disturbed.
put() {
    make_directory "${2%/*}"
    say "$(sum_of "$1") $2" | tee -a "$work/installed" >>"$DESTDIR$record"
    step=$DESTDIR${2%/*}/.$NAME.$$
    cp "$1" "$step"
    chmod "$3" "$step"
    mv -f "$step" "$DESTDIR$2"
    say "  ${2#"$PREFIX"/}"
}

install_all() {
    [ -f "$PROGRAM" ] || fail "the program $PROGRAM is not there" "PROGRAM=FILE names a built one"
    mkdir "$work/new"
    cp "$PROGRAM" "$work/new/program"
    say "$work/new/program 755 $bin/$NAME" >"$work/plan"
    for file in "$source"/man/*.[1-9] "$source"/completions/*; do
        place=$(place_of "$file")
        [ -n "$place" ] || fail "no place is known for $file"
        renamed "$file" >"$work/new/${file##*/}"
        say "$work/new/${file##*/} 644 $place" >>"$work/plan"
    done

    check_writable "$DESTDIR$bin"
    check_writable "$DESTDIR${record%/*}"
    # A completion or a page beside a program of codex-run belongs to it; the rest must be in the record.
    if is_program "$DESTDIR$bin/$NAME"; then owns=yes; else owns=; fi
    while read -r file mode place; do
        ! [ -d "$DESTDIR$place" ] || fail "$DESTDIR$place is a directory"
        if { [ -e "$DESTDIR$place" ] || [ -L "$DESTDIR$place" ]; } && [ -z "$owns" ] && ! is_recorded "$place" &&
            ! cmp -s "$file" "$DESTDIR$place"; then
            fail "$DESTDIR$place is there and belongs to another program: nothing was installed" \
                "choose another name, as in NAME=codex-run, or another PREFIX"
        fi
    done <"$work/plan"

    say "installing below $DESTDIR$PREFIX:"
    make_directory "${record%/*}"
    while read -r file mode place; do put "$file" "$place" "$mode"; done <"$work/plan"

    # What an earlier version had and this one has not.
    sed 's/^[0-9]* [0-9]* //' "$DESTDIR$record" | sort -u | while IFS= read -r file; do
        ! cut -d ' ' -f 3- "$work/installed" | grep -qxF "$file" || continue
        ! is_recorded "$file" || { rm -f "$DESTDIR$file" && say "  removed, no longer used: ${file#"$PREFIX"/}"; }
    done
    cp "$work/installed" "$DESTDIR$record.new"
    mv -f "$DESTDIR$record.new" "$DESTDIR$record"
    say "  ${record#"$PREFIX"/} (for \`$again uninstall\`)"
    if [ -n "$DESTDIR" ]; then
        say "installed $(wc -l <"$work/plan" | tr -d ' ') files below DESTDIR, to be used as $bin/$NAME."
    else
        report
    fi
}

physical() { (cd -P -- "$1" 2>/dev/null && pwd) || :; }

# What kind of program another file on PATH is.
kind_of() {
    if is_program "$1"; then
        say "another codex-run"
    elif LC_ALL=C grep -q -e '@openai/codex' -e 'codex-cli' "$1" 2>/dev/null; then
        say "OpenAI's Codex CLI"
    else
        say "another program"
    fi
}

# What the command line starts under this name now, and what is needed before it can be used.
report() {
    if version=$("$bin/$NAME" --version 2>/dev/null); then
        say "installed $(printf '%s\n' "$version" | sed 's/ (.*//;q') as \`$NAME\`."
    else
        say "installed, but $bin/$NAME does not start on this machine."
    fi

    own=$(physical "$bin") is_on_path= winner= start=$NAME
    : >"$work/others"
    printf '%s\n' "${PATH:-}" | tr ':' '\n' >"$work/path"
    while IFS= read -r folder; do
        folder=${folder:-.}
        if [ "$(physical "$folder")" = "$own" ]; then
            is_on_path=yes
            : "${winner:=$bin/$NAME}"
        elif [ -f "$folder/$NAME" ] && [ -x "$folder/$NAME" ]; then
            : "${winner:=$folder/$NAME}"
            grep -qxF "$folder/$NAME" "$work/others" || say "$folder/$NAME" >>"$work/others"
        fi
    done <"$work/path"

    say
    if [ -z "$is_on_path" ]; then
        start=$bin/$NAME
        say "PATH: $bin is not on it. Add this line to the file that your shell reads at its start:"
        say "    export PATH=$(typed "$bin"):\"\$PATH\""
        [ -z "$winner" ] || say "  Now \`$NAME\` starts $winner ($(kind_of "$winner"))."
    elif [ "$winner" = "$bin/$NAME" ]; then
        say "PATH: \`$NAME\` starts $bin/$NAME."
        while IFS= read -r other; do
            say "  It hides $other ($(kind_of "$other")); NAME=codex-run would keep both."
        done <"$work/others"
        [ ! -s "$work/others" ] || say "  A shell that is open already may need \`hash -r\` to notice."
    else
        start=$bin/$NAME
        say "PATH: \`$NAME\` starts $winner ($(kind_of "$winner")), which hides $bin/$NAME."
        say "  Put $bin before ${winner%/*} in PATH, or choose another name: $again install$options NAME=codex-run"
    fi

    report_completions
    say
    say "Next:"
    say "    $(typed "$start") login"
    say "    $(typed "$start") run \"say hello\""
    say "    $(manual)"
    say "Remove: $again uninstall$options"
}

report_completions() {
    functions=$share/zsh/site-functions
    case ":${XDG_DATA_HOME:-${HOME:-}/.local/share}:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}:" in
    *":$share:"*) ;;
    *)
        say "bash: add this line to ~/.bashrc, since $share is not in XDG_DATA_DIRS:"
        say "    . $(typed "$share/bash-completion/completions/$NAME")"
        if command -v fish >/dev/null 2>&1; then
            say "fish: add this line to ~/.config/fish/config.fish:"
            say "    source $(typed "$share/fish/vendor_completions.d/$NAME.fish")"
        fi
        ;;
    esac
    command -v zsh >/dev/null 2>&1 || return 0
    if ! zsh -fc 'print -rl -- $fpath' 2>/dev/null | grep -qxF "$functions"; then
        say "zsh: add this line to ~/.zshrc, before compinit:"
        say "    fpath=($(typed "$functions") \$fpath)"
    fi
}

# How the manual page is opened.
manual() {
    page=$share/man/man1/$NAME.1
    if [ "$(man -w 1 "$NAME" 2>/dev/null)" = "$page" ] || ! command -v man >/dev/null 2>&1; then
        say "man $NAME"
    else
        say "man $(typed "$page")"
    fi
}

case $action in
install) install_all ;;
uninstall) uninstall ;;
esac
