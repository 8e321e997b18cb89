# task: ruby edits a file in place and uses a temporary file
# needs: ruby
# proof: new and temporary
set -euo pipefail

work() {
    echo old > file
    ruby -pi -e '$_.sub!("old", "new")' file
    ruby -rtempfile -rfileutils -e 'Tempfile.create("x") { |f| f.write("temporary"); f.flush; FileUtils.cp(f.path, "copy") }'
    echo "$(cat file) and $(cat copy)"
}

"$@"
