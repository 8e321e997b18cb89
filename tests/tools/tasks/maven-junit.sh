# task: Maven compiles, and tests with JUnit, from Debian's repository
# needs: mvn /usr/share/maven-repo/junit/junit/4.x /usr/share/maven-repo/org/apache/maven/surefire/surefire-junit4
# proof: [INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0
# places: work tmp
set -euo pipefail

prepare() {
    mkdir -p src/main/java src/test/java
    cat > pom.xml <<'END'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>sum</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source>
    <maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version><scope>test</scope></dependency>
  </dependencies>
</project>
END
    printf 'public class Sum { static int of(int a, int b) { return a + b; } }\n' > src/main/java/Sum.java
    cat > src/test/java/SumTest.java <<'END'
import static org.junit.Assert.assertEquals;
import java.nio.file.Files;
import org.junit.Test;

public class SumTest {
    @Test
    public void adds() throws Exception {
        Files.delete(Files.createTempFile("sum", "x"));
        assertEquals(42, Sum.of(20, 22));
    }
}
END
}

work() {
    mvn --offline --batch-mode -Dmaven.repo.local=/usr/share/maven-repo package
}

"$@"
