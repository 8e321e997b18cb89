# task: javac and java, with temporary files and moves
# needs: javac java
# proof: temporary, moved, replaced
# places: work tmp
set -euo pipefail

prepare() {
    mkdir a b
    cat > Files.java <<'END'
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import java.io.File;
import java.nio.file.*;

public class Files {
    public static void main(String[] arguments) throws Exception {
        Path path = java.nio.file.Files.createTempFile("abc", "x");
        File.createTempFile("abc", "x").delete();
        System.out.print("temporary");
        java.nio.file.Files.writeString(Path.of("a/f"), "x");
        java.nio.file.Files.move(Path.of("a/f"), Path.of("b/f"), ATOMIC_MOVE);
        System.out.print(", moved");
        java.nio.file.Files.move(path, Path.of("b/f"), StandardCopyOption.REPLACE_EXISTING);
        System.out.println(", replaced");
    }
}
END
}

work() {
    javac -d classes Files.java
    java -cp classes Files
}

"$@"
