# task: two Python processes write one SQLite database with a write-ahead log
# needs: python3
# proof: rows: 200
# places: work tmp
# part: test
set -euo pipefail

prepare() {
    cat > database.py <<'END'
import sqlite3
import subprocess
import sys

connection = sqlite3.connect("data.db", timeout=20, isolation_level=None)
if len(sys.argv) > 1:
    for n in range(100):
        connection.execute("insert into t values (?)", (n,))
    sys.exit()
assert connection.execute("pragma journal_mode = wal").fetchone() == ("wal",)
connection.execute("create table t (n)")
writers = [subprocess.Popen([sys.executable, "database.py", "write"]) for _ in range(2)]
assert [writer.wait() for writer in writers] == [0, 0]
print("rows:", connection.execute("select count(*) from t").fetchone()[0])
END
}

work() {
    python3 database.py
}

"$@"
