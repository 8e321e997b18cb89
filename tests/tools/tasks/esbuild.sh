# task: esbuild bundles a program
# needs: node esbuild
# proof: bundled
set -euo pipefail

prepare() {
    printf 'import { word } from "./word";\nconsole.log(word);\n' > main.ts
    printf 'export const word: string = "bundled";\n' > word.ts
}

work() {
    esbuild main.ts --bundle --platform=node --outfile=out/main.js
    rm main.ts word.ts
    node out/main.js
}

"$@"
