# task: go builds and tests a program
# needs: go git
# proof: built, and its tests pass
# variants: default-cache cache-in-project
# places: work tmp
set -euo pipefail

prepare() {
    git init -q . # or one above it is asked for its state
    printf 'module example.test/sum\n\ngo 1.18\n' > go.mod
    cat > main.go <<'END'
package main

import "fmt"

func words() string { return "built, and its tests pass" }

func main() { fmt.Println(words()) }
END
    cat > main_test.go <<'END'
package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(words()), 0o600); err != nil {
		t.Fatal(err)
	}
}
END
}

work() {
    if test "$1" = cache-in-project; then
        export GOCACHE=$PWD/.cache
    fi
    export GOFLAGS=-mod=mod GOPROXY=off
    go test ./...
    go build -o sum .
    ./sum
}

"$@"
