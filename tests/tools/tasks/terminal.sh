# task: a program runs in a pseudo-terminal
# needs: python3
# differs: the terminals of the user's other programs would be within reach
# proof: a terminal: True
# part: test
set -euo pipefail

work() {
    python3 -c 'import pty; pty.spawn(["python3", "-c", "import os; print(\"a terminal:\", os.isatty(1))"])' < /dev/null | tr -d '\r'
}

"$@"
