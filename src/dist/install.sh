#!/bin/sh
# Installs the program, its manual pages and its completions, or removes what an earlier call has installed. `make install` and
# `make uninstall` call this; an unpacked archive has it beside the program.
#
#     install.sh [install | uninstall] [PREFIX=DIR] [DESTDIR=DIR] [NAME=codex] [PROGRAM=FILE]
#
# PREFIX/share/codex-run has a record of each name: the files, with their checksums, and in `directories` those that were made.
# Only what is recorded is removed or replaced: a file of another program under the same name is refused before anything is
# changed, and one that has taken the place of an installed file since then stays. PREFIX may belong to another user than the one
# who calls: a record cannot name files outside PREFIX, and no link is written through.
set -eu
umask 022
unset CDPATH
LC_ALL=C
export LC_ALL

here=$(cd -P -- "$(dirname -- "$0")" && pwd)
if [ -d "$here/man" ]; then source=$here; else source=$(cd -P -- "$here/../.." && pwd); fi
if [ -f "$source/Makefile" ]; then again=make; else again=./install.sh; fi

action=install PREFIX=${HOME:-}/.local DESTDIR= NAME=codex PROGRAM=$source/codex
newline='
'

say() { printf '%s\n' "$*"; }
# report_error WHAT [HINT]
report_error() {
    printf 'install: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'install: hint: %s\n' "$2" >&2
}
fail() {
    report_error "$@"
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
[ -n "$PREFIX" ] || fail "PREFIX is empty"

# An absolute path, so that none begins with `-`. The `.` keeps line breaks at the end, which are refused below.
working=$(pwd && echo .)
working=${working%"$newline".}
absolute() {
    case $1 in
    '' | /*) printf '%s.' "$1" ;;
    *) printf '%s/%s.' "${working%/}" "$1" ;;
    esac
}
PREFIX=$(absolute "$PREFIX") DESTDIR=$(absolute "$DESTDIR") PROGRAM=$(absolute "$PROGRAM")
PREFIX=${PREFIX%.} DESTDIR=${DESTDIR%.} PROGRAM=${PROGRAM%.}
case $PREFIX$DESTDIR in *"$newline"*) fail "PREFIX and DESTDIR cannot contain a line break" "choose another directory" ;; esac
# One spelling, without `//`, `.` and `..`: records are compared with it.
PREFIX=$(printf '%s/\n' "$PREFIX" | sed -e 's|//*|/|g' -e ':dot' -e 's|/\./|/|' -e 't dot' \
    -e ':up' -e 's|^/\.\./|/|' -e 't up' -e 's|/[^/]*/\.\./|/|' -e 't up')
PREFIX=${PREFIX%/}
while [ "$DESTDIR" != "${DESTDIR%/}" ]; do DESTDIR=${DESTDIR%/}; done

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
[ "$PREFIX" = "${HOME:-}/.local" ] || options="$options PREFIX=$(typed "${PREFIX:-/}")"
[ -z "$DESTDIR" ] || options="$options DESTDIR=$(typed "$DESTDIR")"
[ "$NAME" = codex ] || options="$options NAME=$NAME"

# attempt WHAT COMMAND...: if the command fails, its reason is reported, and the end of the script. `answer` is what it printed.
attempt() {
    what=$1
    shift
    answer=$("$@" 2>&1) || fail "cannot $what: ${answer##*: }" "$after"
}

after="TMPDIR=DIR names another directory for temporary files"
attempt "make a temporary directory" mktemp -d
case $answer in /*) work=$answer ;; *) work=$working/$answer ;; esac
step= # the directory that has the file that is being put into place
trap 'rm -rf "$work" ${step:+"$step"}' EXIT
trap 'exit 130' HUP INT PIPE TERM

sum_of() { { cksum <"$1" | tr '\t' ' '; } 2>/dev/null; }

# ---- the record ----

user=$(id -u)
# Whether a file or link belongs to another user than root and the caller.
is_foreign() { [ -n "$(find "$1" -prune ! -user 0 ! -user "$user")" ]; }

# Sets `link` to a link below PREFIX, in the path of this directory, that another user has made: it may lead anywhere. A link of
# the caller, such as ~/.local/bin to ~/bin, is followed.
find_foreign_link() {
    link=$DESTDIR$1
    while [ "$link" != "$DESTDIR$PREFIX" ] && [ -n "$link" ]; do
        if [ -L "$link" ] && is_foreign "$link"; then return; fi
        link=${link%/*}
    done
    link=
}

# The directory, or the nearest one above it that is there, can be written. Collects those that are not there.
check_directory() {
    find_foreign_link "$1"
    [ -z "$link" ] || fail "cannot use $link: it is a link that belongs to another user" "$other_place"
    folder=$DESTDIR$1
    while ! [ -d "$folder" ]; do
        if [ -e "$folder" ]; then fail "cannot make the directory $folder: a file has this name" "$other_place"; fi
        if [ -L "$folder" ]; then fail "cannot make the directory $folder: a link that leads nowhere has this name" "$other_place"; fi
        case $folder in "$DESTDIR"/*) say "${folder#"$DESTDIR"}" >>"$work/directories" ;; esac
        folder=${folder%/*}
        folder=${folder:-/}
    done
    [ -w "$folder" ] && [ -x "$folder" ] || fail "$folder cannot be written: this user may not, or it is mounted read-only" "$permission"
}
other_place="remove it, or use another PREFIX"
if [ "$action" = install ]; then
    permission="use another PREFIX, or sudo; PROGRAM=FILE installs what is built already"
else
    permission="call this as the user who has installed it, with sudo if that was root"
fi

# Copies the record, which is empty if there is none, to `$work/record`. Refuses one that may have been made by another user to
# have files removed or written: root must not act for others, and a link may lead to a file that is not a record.
read_record() {
    folder=$DESTDIR${record%/*}
    if [ -L "$folder" ]; then
        top=$(physical "$DESTDIR$PREFIX/")
        case $(physical "$folder") in
        "${top%/}"/?*) ;;
        *) fail "$folder is a link that leads out of $DESTDIR$PREFIX" "remove the link" ;;
        esac
    fi
    for file in "$folder" "$DESTDIR$record" "$DESTDIR$directories"; do
        [ -e "$file" ] || [ -L "$file" ] || continue
        [ "$file" = "$folder" ] || { [ -f "$file" ] && ! [ -L "$file" ]; } ||
            fail "$file is not a regular file, as the record of an installation is" "remove it"
        [ "$user" != 0 ] || ! is_foreign "$file" ||
            fail "$file belongs to another user, and root does not follow it" "call this as that user, without sudo"
    done
    : >"$work/record"
    after=$permission
    [ ! -f "$DESTDIR$record" ] || attempt "read $DESTDIR$record" cp "$DESTDIR$record" "$work/record"
    : >"$work/directories"
    [ ! -f "$DESTDIR$directories" ] || attempt "read $DESTDIR$directories" cp "$DESTDIR$directories" "$work/directories"
}

physical() { (cd -P -- "$1" 2>/dev/null && pwd) || :; }

# Whether a recorded path is below PREFIX.
is_below() {
    case $1/ in
    *//* | */./* | */../*) return 1 ;;
    "$PREFIX"/?*) ;;
    *) return 1 ;;
    esac
}

# The recorded files, once each, in `$work/recorded`: those that can be files of an installation.
list_recorded() {
    sed 's/^[0-9]* [0-9]* //' "$work/record" | sort -u >"$work/paths"
    : >"$work/recorded"
    while IFS= read -r file; do
        if is_below "$file"; then say "$file" >>"$work/recorded"; else skip "$file"; fi
    done <"$work/paths"
}
skip() { report_error "skipped a path of the record that is not below $DESTDIR$PREFIX: $(printf '%s' "$1" | tr -d '\000-\037\177')"; }

# Whether the record names this file as it is now.
is_recorded() { [ -f "$DESTDIR$1" ] && grep -qxF -e "$(sum_of "$DESTDIR$1") $1" "$work/record"; }

# Removes a recorded file if it is as it was installed. The rest continues after a file that cannot be removed.
remove() {
    find_foreign_link "${1%/*}"
    if [ -n "$link" ]; then
        reason="$link is a link that belongs to another user"
    else
        reason=$(rm -f "$DESTDIR$1" 2>&1) && return
        reason=${reason##*: }
    fi
    report_error "cannot remove $DESTDIR$1: $reason"
    failed=yes
    return 1
}
failed=

# Whether this file is the program of codex-run, of any version, as far as its text says. This is for messages only: it decides
# nothing, since any file can contain the words, and is not started, since root may call this in the directory of another user.
is_program() {
    [ -f "$1" ] || return 1
    case $(dd if="$1" bs=4 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n') in
    7f454c46 | cffaedfe | feedfacf | cafebabe) grep -q "independent client, not OpenAI's Codex CLI" "$1" ;;
    *) return 1 ;;
    esac
}

# ---- uninstall ----

uninstall() {
    read_record
    if ! [ -f "$DESTDIR$record" ]; then
        say "nothing to remove: $DESTDIR$record, the record of an installation, is not there"
        ! is_program "$DESTDIR$bin/$NAME" || say "  $DESTDIR$bin/$NAME is a codex-run that came in another way, and stays"
        return
    fi
    check_directory "${record%/*}"
    list_recorded
    say "removing from $DESTDIR$PREFIX:"
    while IFS= read -r file; do
        if is_recorded "$file"; then
            ! remove "$file" || say "  ${file#"$PREFIX"/}"
        elif [ -e "$DESTDIR$file" ] || [ -L "$DESTDIR$file" ]; then
            say "  ${file#"$PREFIX"/} stays: it is not what was installed"
        fi
    done <"$work/recorded"
    [ -z "$failed" ] || fail "not everything was removed: $DESTDIR$record still names the rest" "$permission"
    after=$permission
    attempt "remove $DESTDIR$record" rm -f "$DESTDIR$record"
    set -- "$DESTDIR${record%/*}"/*.installed
    [ -e "$1" ] || attempt "remove $DESTDIR$directories" rm -f "$DESTDIR$directories"
    # Directories that are still used, under another name or by others, are not empty. PREFIX, and those above it, may be new.
    sort -ru "$work/directories" >"$work/paths"
    while IFS= read -r folder; do
        case $PREFIX/ in
        "$folder"/*) [ -n "$folder" ] || continue ;;
        *) is_below "$folder" || { skip "$folder" && continue; } ;;
        esac
        find_foreign_link "$folder"
        [ -n "$link" ] || rmdir "$DESTDIR$folder" 2>/dev/null || :
    done <"$work/paths"
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

# put FILE PLACE: the file appears under its name in one step, so that a running program is not disturbed, and from a directory
# of its own, so that nobody can have made a link under its name.
put() {
    target=$DESTDIR$2
    attempt "write to ${target%/*}" mktemp -d "${target%/*}/.$NAME.XXXXXX"
    step=$answer
    attempt "write $target" cp "$1" "$step/file"
    attempt "write $target" mv -f "$step/file" "$target"
    attempt "remove $step" rmdir "$step"
    step=
}

install_all() {
    [ -f "$PROGRAM" ] || fail "the program $PROGRAM is not there" "PROGRAM=FILE names a built one"
    after="PROGRAM=FILE names another one"
    mkdir "$work/new"
    attempt "read $PROGRAM" cp "$PROGRAM" "$work/new/program"
    chmod 755 "$work/new/program"
    say "program $bin/$NAME" >"$work/plan"
    for file in "$source"/man/*.[1-9] "$source"/completions/*; do
        place=$(place_of "$file")
        [ -n "$place" ] || fail "no place is known for $file"
        renamed "$file" >"$work/new/${file##*/}"
        say "${file##*/} $place" >>"$work/plan"
    done

    # Everything that can be in the way is looked for before anything is changed.
    read_record
    list_recorded
    check_directory "${record%/*}"
    checked=
    while read -r file place; do
        [ "$checked" = "${place%/*}" ] || check_directory "${place%/*}"
        checked=${place%/*}
        # Only the checksum in the record shows that a file may be replaced; what a file says of itself can be said by any other.
        ! [ -d "$DESTDIR$place" ] || fail "cannot write $DESTDIR$place: it is a directory" "$other_place"
        if { [ -e "$DESTDIR$place" ] || [ -L "$DESTDIR$place" ]; } && ! is_recorded "$place" &&
            ! cmp -s "$work/new/$file" "$DESTDIR$place"; then
            way="remove it first: rm $(typed "$DESTDIR$place"); or choose another name, as in NAME=codex-run, or another PREFIX"
            ! is_program "$DESTDIR$place" ||
                fail "$DESTDIR$place is a codex-run that came in another way: nothing was installed" "$way"
            fail "$DESTDIR$place is there and belongs to another program: nothing was installed" "$way"
        fi
        say "$(sum_of "$work/new/$file") $place" >>"$work/installed"
    done <"$work/plan"

    say "installing below $DESTDIR$PREFIX:"
    after="call this again; $again uninstall$options removes what was installed"
    # Recorded before they are made, so that what a call that was interrupted has left can be removed.
    attempt "make the directory $DESTDIR${record%/*}" mkdir -p "$DESTDIR${record%/*}"
    if [ -s "$work/directories" ]; then
        sort -u "$work/directories" >"$work/new/directories"
        put "$work/new/directories" "$directories"
    fi
    cat "$work/record" "$work/installed" >"$work/new/record"
    put "$work/new/record" "$record"
    while read -r file place; do
        attempt "make the directory $DESTDIR${place%/*}" mkdir -p "$DESTDIR${place%/*}"
        put "$work/new/$file" "$place"
        say "  ${place#"$PREFIX"/}"
    done <"$work/plan"

    # What an earlier version had and this one has not.
    cut -d ' ' -f 3- "$work/installed" >"$work/places"
    while IFS= read -r file; do
        if grep -qxF -e "$file" "$work/places" || ! is_recorded "$file"; then
            continue
        elif remove "$file"; then
            say "  removed, no longer used: ${file#"$PREFIX"/}"
        else
            say "$(sum_of "$DESTDIR$file") $file" >>"$work/installed"
        fi
    done <"$work/recorded"
    put "$work/installed" "$record"
    say "  ${record#"$PREFIX"/} (for \`$again uninstall\`)"
    if [ -n "$DESTDIR" ]; then
        say "installed $(wc -l <"$work/plan" | tr -d ' ') files below DESTDIR, to be used as $bin/$NAME."
    else
        report
    fi
}

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
