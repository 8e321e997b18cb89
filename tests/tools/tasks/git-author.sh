# task: git commits as the author that the environment names
# needs: git
# env: GIT_AUTHOR_NAME=robot
# env: GIT_AUTHOR_EMAIL=robot@example.test
# env: GIT_COMMITTER_NAME=robot
# env: GIT_COMMITTER_EMAIL=robot@example.test
# env: GIT_CONFIG_GLOBAL=/dev/null
# proof: robot <robot@example.test>
# part: test
set -euo pipefail

work() {
    git init -q .
    echo 1 > file
    git add .
    git commit -qm one
    git log --format='%an <%ae>'
}

"$@"
