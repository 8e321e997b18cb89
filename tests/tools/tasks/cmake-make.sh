# task: cmake configures, make or ninja builds, ctest tests
# needs: cmake ctest make ninja cc
# proof: 100% tests passed, 0 tests failed out of 1
# variants: make ninja
set -euo pipefail

prepare() {
    cat > CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.13)
project(sum C)
enable_testing()
add_library(add STATIC add.c)
add_executable(sum main.c)
target_link_libraries(sum add)
add_test(NAME adds COMMAND sum)
END
    printf 'int add(int a, int b) { return a + b; }\n' > add.c
    printf 'int add(int, int);\nint main(void) { return add(20, 22) != 42; }\n' > main.c
}

work() {
    case $1 in
        make) generator="Unix Makefiles" ;;
        ninja) generator=Ninja ;;
    esac
    cmake -S . -B build -G "$generator"
    cmake --build build --parallel 4
    cd build && ctest --parallel 2
}

"$@"
