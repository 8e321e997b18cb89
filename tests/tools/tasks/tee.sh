# task: a script sends its own output through a process substitution (exec > >(tee log))
# proof: the last line: {}
# variants: tee slow-filter
# part: test
set -euo pipefail

prepare() {
    cat > tee.sh <<'END'
exec > >(tee log) 2>&1
echo "the first line"
sleep 0.1
echo "the last line: tee"
END
    cat > slow-filter.sh <<'END'
exec > >(while read -r line; do sleep 0.1; echo "$line"; done | tee log) 2>&1
echo "the first line"
echo "the last line: slow-filter"
END
}

work() {
    exec bash "$1.sh"
}

"$@"
