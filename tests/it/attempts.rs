//! What is attempted against the sandbox, a line each: its name, where it succeeds, and a command that prints `done` if
//! it does. `TRY` is the program that makes system calls, `RUN` the process of the run, and `$PPID` the process of the
//! tool; `HOME`, `TCP`, `UDP` and `NAME` are the targets.

use crate::home::Home;

/// The modes in which an attempt succeeds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Through {
    /// Only without a sandbox.
    Nowhere,
    /// Only without a sandbox, and as root: other users cannot inspect a process that holds credentials.
    Root,
    /// If files may be changed.
    Writing,
    /// If the network may be used.
    Network,
    /// Everywhere: not an attempt, but a check that something still works.
    Everywhere,
    /// Without a sandbox this depends on the kernel, on the confinement of the tests, and on the file system.
    Kernel,
    /// The same, if files may be changed.
    Files,
    /// Like `Nowhere`, if the kernel can tell which processes are inside: since Linux 6.12.
    Scoped,
}

const READING: &str = r"
by absolute path | nowhere | cat HOME/.codex-run/auth.json && echo done
the official one | nowhere | cat HOME/.codex/auth.json && echo done
pi's | nowhere | cat HOME/.pi/agent/auth.json && echo done
of --auth-file, by relative path | nowhere | cat ../elsewhere/login.json && echo done
what was left beside it | nowhere | cat ../elsewhere/login.json.1-ab.new && echo done
of --api-key-file | nowhere | cat ../key && echo done
through /proc/self/root | nowhere | cat /proc/self/rootHOME/.codex-run/auth.json && echo done
through /proc/self/cwd | nowhere | cat /proc/self/cwd/../.codex-run/auth.json && echo done
through a symlink | nowhere | ln -s HOME/.codex-run $TMPDIR/l && cat $TMPDIR/l/auth.json && echo done
through a hard link | nowhere | ln HOME/.codex-run/auth.json $TMPDIR/h && cat $TMPDIR/h && echo done
by a copy | nowhere | cp -r HOME/.codex-run $TMPDIR/c && cat $TMPDIR/c/auth.json && echo done
by moving it | nowhere | mv HOME/agent $TMPDIR/m && cat $TMPDIR/m/auth.json && mv $TMPDIR/m HOME/agent && echo done
mounted elsewhere | kernel | TRY newroot HOME/.codex-run HOME/tmp
environment of the run | root | tr '\0' '\n' < /proc/RUN/environ | grep ^HOME= && echo done
environment of whoever started it | kernel | tr '\0' '\n' < /proc/$(cut -d' ' -f4 /proc/RUN/stat)/environ | grep PATH= && echo done
descriptors of the run | root | readlink /proc/RUN/fd/1 && echo done
memory of the run | root | head -c0 /proc/RUN/mem && echo done
root of the run | root | ls /proc/RUN/root/ && echo done
environment of the keeper | root | tr '\0' '\n' < /proc/$PPID/environ | grep TMPDIR= && echo done
descriptors of the keeper | root | readlink /proc/$PPID/fd/1 && echo done
ordinary files | everywhere | cat ../outside/victim && ls HOME > /dev/null && echo done
";

const WRITING: &str = r"
write outside | nowhere | echo x > ../outside/new && echo done
write over | nowhere | echo x >> ../outside/victim && echo done
write through a symlink | nowhere | ln -s HOME/outside $TMPDIR/s && echo x > $TMPDIR/s/new && echo done
write through /proc/self/root | nowhere | echo x > /proc/self/rootHOME/outside/new && echo done
rename over | nowhere | echo x > $TMPDIR/f && mv -f $TMPDIR/f ../outside/renamed && echo done
rename away | nowhere | mv ../outside/away $TMPDIR/r && echo done
hard link | nowhere | ln ../outside/victim $TMPDIR/v && echo done
truncate | nowhere | truncate -s 0 ../outside/victim && echo done
make a directory | nowhere | mkdir ../outside/d && echo done
make a pipe | nowhere | mkfifo ../outside/p && echo done
make a symlink | nowhere | ln -s x ../outside/l && echo done
remove | nowhere | rm ../outside/doomed && echo done
settings for the next run | nowhere | echo x > HOME/.codex-run/config.json && echo done
make a device | kernel | TRY device $TMPDIR/mem
make a terminal | kernel | true <> /dev/ptmx && echo done
the work, hooks included | writing | echo x > new && mkdir -p .git/hooks && echo x > .git/hooks/pre-commit && echo done
the temporary directory | everywhere | echo x > $TMPDIR/new && cat $TMPDIR/new && echo done
the null device | everywhere | echo x > /dev/null && echo done
mode | writing | chmod 600 ../outside/victim && echo done
owner | writing | chown $(id -u) ../outside/victim && echo done
times | writing | touch -m ../outside/victim && echo done
attributes | files | TRY attribute ../outside/victim
flags | kernel | TRY flags ../outside/victim
generation | kernel | TRY generation ../outside/victim
";

const REACHING: &str = r"
TCP to this machine | network | TRY tcp 127.0.0.1 TCP
TCP to another address | network | TRY tcp 127.0.0.2 TCP
UDP to this machine | network | TRY udp 127.0.0.1 UDP
UDP in a message | network | TRY udp-message 127.0.0.1 UDP
a Unix socket | nowhere | TRY unix HOME/outside/docker.sock
a Unix datagram | nowhere | TRY unix-datagram HOME/outside/log.sock
a Unix datagram from a pair | nowhere | TRY unix-pair HOME/outside/log.sock
an abstract socket | nowhere | TRY unix @NAME
a socket of the kernel's | kernel | TRY family 40
the second set of calls | kernel | TRY x32
a pair of streams | everywhere | TRY stream-pair
trace the run | kernel | TRY ptrace RUN
trace the keeper | kernel | TRY ptrace $PPID
read the run's memory | kernel | TRY peek RUN
signal the run | scoped | TRY signal RUN
limit the run | nowhere | TRY limit RUN
io_uring | kernel | TRY io_uring
key rings | kernel | TRY keys
shared memory | kernel | TRY memory
message queues | kernel | TRY message
a queue of messages | kernel | TRY queue /codex-run-attempt
priority of the run | nowhere | TRY priority RUN
a user namespace | kernel | TRY namespace
a user namespace with clone | kernel | TRY cloned-namespace
";

/// An attempt.
pub(crate) struct Attempt {
    pub(crate) name: &'static str,
    pub(crate) command: String,
    pub(crate) through: Through,
}

/// All attempts, with the targets in this home.
pub(crate) fn attempts(home: &Home, tcp: u16, udp: u16, name: &str) -> Vec<Attempt> {
    let root = home.root().display().to_string();
    let (tcp, udp) = (tcp.to_string(), udp.to_string());
    let lines = [READING, WRITING, REACHING]
        .into_iter()
        .flat_map(str::lines);
    let attempt = |line: &'static str| {
        let [name_of, through, command] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("{line} is no attempt");
        };
        let command = command
            .replace("TCP", &tcp)
            .replace("UDP", &udp)
            .replace("TRY", &format!("{root}/intruder"))
            .replace("HOME/", &format!("{root}/"))
            .replace("HOME ", &format!("{root} "))
            .replace("RUN", "$(cut -d' ' -f4 /proc/$PPID/stat)")
            .replace("@NAME", &format!("@{name}"));
        let through = match through {
            "nowhere" => Through::Nowhere,
            "root" => Through::Root,
            "writing" => Through::Writing,
            "network" => Through::Network,
            "everywhere" => Through::Everywhere,
            "kernel" => Through::Kernel,
            "files" => Through::Files,
            "scoped" => Through::Scoped,
            other => panic!("{line}: what is {other}?"),
        };
        Attempt {
            name: name_of,
            command,
            through,
        }
    };
    lines.filter(|line| !line.is_empty()).map(attempt).collect()
}
