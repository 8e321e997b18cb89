# task: bash's process substitution, here-documents and coprocesses
# proof: b, E: error, 3 lines, echo
# part: test
set -euo pipefail

work() {
    common=$(comm -12 <(printf 'a\nb\n') <(printf 'b\nc\n'))
    { { echo error >&2; } 2> >(sed 's/^/E: /' > errors); } && wait $!
    lines=$(wc -l <<END
one
two
three
END
)
    coproc cat
    echo echo >&"${COPROC[1]}"
    read -r line <&"${COPROC[0]}"
    echo "$common, $(cat errors), $lines lines, $line"
}

"$@"
