# task: tsx runs a TypeScript file
# needs: node tsx
# proof: 6 from TypeScript
set -euo pipefail

prepare() {
    cat > main.ts <<'END'
import { sum } from "./sum";
const numbers: number[] = [1, 2, 3];
console.log(`${sum(numbers)} from TypeScript`);
END
    printf 'export const sum = (all: number[]): number => all.reduce((a, b) => a + b, 0);\n' > sum.ts
}

work() {
    tsx main.ts
}

"$@"
