# task: sqlite3 writes a database with a write-ahead log, sorts a big table and vacuums
# needs: sqlite3
# proof: wal|200000
# places: work tmp
set -euo pipefail

work() {
    sqlite3 data.db 'pragma journal_mode = wal;' \
        'create table t as with recursive n(x) as (select 1 union all select x + 1 from n where x < 200000) select x, hex(randomblob(40)) as h from n;'
    sqlite3 data.db 'pragma cache_size = 10; create index i on t(h); vacuum;'
    echo "$(sqlite3 data.db 'pragma journal_mode;')|$(sqlite3 data.db 'select count(*) from t;')"
}

"$@"
