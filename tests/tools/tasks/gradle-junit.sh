# task: Gradle compiles, and tests with JUnit, from Debian's jars
# needs: gradle /usr/share/java/junit4.jar /usr/share/java/hamcrest-core.jar
# proof: SumTest > adds PASSED
# variants: default-home home-in-project
set -euo pipefail

prepare() {
    mkdir -p src/main/java src/test/java
    printf 'rootProject.name = "sum"\n' > settings.gradle
    cat > build.gradle <<'END'
apply plugin: 'java'
sourceCompatibility = 11
dependencies { testCompile files('/usr/share/java/junit4.jar', '/usr/share/java/hamcrest-core.jar') }
test { testLogging { events 'passed', 'failed' } }
END
    printf 'public class Sum { static int of(int a, int b) { return a + b; } }\n' > src/main/java/Sum.java
    cat > src/test/java/SumTest.java <<'END'
import static org.junit.Assert.assertEquals;
import org.junit.Test;

public class SumTest {
    @Test
    public void adds() { assertEquals(42, Sum.of(20, 22)); }
}
END
}

work() {
    if test "$1" = home-in-project; then
        export GRADLE_USER_HOME=$PWD/.gradle-home
    fi
    gradle --offline --no-daemon --console=plain build
}

"$@"
