# task: a private D-Bus session, and a client
# needs: dbus-run-session dbus-send
# proof: answered
set -euo pipefail

work() {
    dbus-run-session -- dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames > answer
    grep -q 'string "org.freedesktop.DBus"' answer
    echo answered
}

"$@"
