# task: gpg makes a key and signs, with its agent
# needs: gpg gpg-agent
# proof: a good signature
set -euo pipefail

prepare() {
    mkdir -m 700 gnupg
}

work() {
    export GNUPGHOME=$PWD/gnupg
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key a@example.test ed25519
    echo words > file
    gpg --batch --quiet --detach-sign file
    gpg --verify file.sig 2>&1 | grep -q 'Good signature'
    gpgconf --kill gpg-agent
    echo "a good signature"
}

"$@"
