# task: a script logs its own output through tee (exec > >(tee log))
# proof: the last line, which tee prints after the script has ended
# part: test
set -euo pipefail

prepare() {
    cat > script.sh <<'END'
exec > >(tee log) 2>&1
echo "the first line"
sleep 0.1
echo "the last line, which tee prints after the script has ended"
END
}

work() {
    exec bash script.sh
}

"$@"
