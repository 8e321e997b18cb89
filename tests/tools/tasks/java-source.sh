# task: java runs a source file
# needs: java
# proof: hello from Java
set -euo pipefail

prepare() {
    cat > Hello.java <<'END'
public class Hello {
    public static void main(String[] arguments) { System.out.println("hello from Java"); }
}
END
}

work() {
    java Hello.java
}

"$@"
