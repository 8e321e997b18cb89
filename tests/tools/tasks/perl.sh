# task: perl edits files in place and uses a temporary file
# needs: perl
# proof: new and temporary
# part: test
set -euo pipefail

work() {
    echo old > file
    perl -pi -e 's/old/new/' file
    perl -MFile::Temp=tempfile -e '($h, $name) = tempfile(UNLINK => 1); print $h "x"; close $h; rename $name, "moved" or print STDERR "$!\n"'
    perl -MFile::Temp=tempdir -e '$d = tempdir(CLEANUP => 1); open F, ">", "$d/f" or die $!'
    echo "$(cat file) and temporary"
}

"$@"
