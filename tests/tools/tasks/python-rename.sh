# task: Python renames files across directories, and from the temporary directory
# needs: python3
# proof: renamed: across, replaced, moved
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    mkdir a b
    touch a/across a/replaced b/replaced
}

work() {
    python3 - <<'END'
import os
import shutil
import tempfile

os.rename("a/across", "b/across")
os.replace("a/replaced", "b/replaced")
handle, path = tempfile.mkstemp()
os.close(handle)
shutil.move(path, "b/moved")
print("renamed:", ", ".join(sorted(os.listdir("b"), key=["across", "replaced", "moved"].index)))
END
}

"$@"
