//! Unix sockets inside the sandbox under attack, and with programs that use them oddly.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::home::Home;
use crate::needs::{Need, lacks};
use crate::real_work::{WRITE, answered};
use crate::tools::{bash, called};

/// The output of a command, if there is python3.
fn python(flags: &[&str], script: &str) -> Option<String> {
    (!lacks(&Need::PYTHON)).then(|| {
        let home = Home::with_key();
        home.file("script.py", script);
        answered(&home, flags, "python3 script.py")
    })
}

/// Abstract names are visible to the whole machine, and any program that sees one can connect to it.
#[test]
fn sockets_are_bound_in_a_directory_that_other_users_cannot_enter() {
    let script = r"
import os, socket
listening = socket.socket(socket.AF_UNIX)
listening.bind('s')
listening.listen()
inode = str(os.fstat(listening.fileno()).st_ino)
lines = [line.split() for line in open('/proc/net/unix')]
path = next(line[7] for line in lines if line[6] == inode)
# A longer path than an address holds begins at a descriptor.
[name] = os.listdir(os.environ['TMPDIR'] + '/../s1')
above = [os.environ['TMPDIR'] + place for place in ('/../s1', '/..', '/../..')]
print(path[0], path.endswith(name), {oct(os.stat(place).st_mode & 0o777) for place in above})
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    assert!(reported.starts_with("/ True {'0o700'}\n"), "{reported}");
}

#[test]
fn abstract_names_are_private_to_a_call() {
    let script = r"
import os, socket
name = '\0codex-run-test-%d' % os.getpid()
def listening(kind=socket.SOCK_STREAM):
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(name)
    one.listen()
    return one
first, other_kind = listening(), listening(socket.SOCK_SEQPACKET)
client = socket.socket(socket.AF_UNIX)
client.connect(name)
print(first.getsockname() == client.getpeername() == name.encode())
print(name[1:] in open('/proc/net/unix').read())
try:
    listening()
except OSError as error:
    print(error.errno)
first.close()
again = listening()
client = socket.socket(socket.AF_UNIX)
client.connect(name)
client.send(b'x')
print(again.accept()[0].recv(1).decode())
names = set()
for _ in range(3):
    own = socket.socket(socket.AF_UNIX)
    own.bind('')
    own.listen()
    names.add(own.getsockname())
    socket.socket(socket.AF_UNIX).connect(own.getsockname())
print(sorted(map(len, names)))
try:
    socket.socket(socket.AF_UNIX).connect(name + '-gone')
except OSError as error:
    print(error.errno)
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    let expected = "True\nFalse\n98\nx\n[6, 6, 6]\n111\n";
    assert!(reported.starts_with(expected), "{reported}");
}

#[test]
fn the_actual_socket_cannot_be_replaced() {
    if lacks(&Need::PYTHON) {
        return;
    }
    let home = Home::with_key();
    let foreign = home.root().join("foreign.sock");
    let _listening = UnixListener::bind(&foreign).expect("a socket");
    // A directory that tools may move.
    let near = home.work().join("near.sock");
    let _near = UnixListener::bind(&near).expect("a socket");
    let script = r"
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind('s')
listening.listen()
below, foreign = os.path.realpath(os.environ['TMPDIR'] + '/../s1'), sys.argv[1]
[name] = os.listdir(below)
real = below + '/' + name
attempts = {
    'remove': lambda: os.unlink(real),
    'move away': lambda: os.rename(real, 'stolen'),
    'link': lambda: os.link(real, 'linked'),
    'move over': lambda: os.rename('near.sock', real),
    'move in': lambda: os.rename('near.sock', below + '/new'),
    'link in': lambda: os.link('near.sock', below + '/new'),
    'symlink': lambda: os.symlink(foreign, below + '/new'),
    'file': lambda: open(below + '/new', 'w'),
    'directory': lambda: os.rename(below, below + '.old'),
    'whole': lambda: os.rename(os.path.dirname(below), 'whole'),
}
for what, attempt in attempts.items():
    try:
        attempt()
        print('DONE', what)
    except OSError as error:
        print(what, error.errno)
# What lies at the path may be anything; nobody else is reached by it.
os.unlink('s')
for put in (lambda: os.symlink(foreign, 's'), lambda: os.rename('near.sock', 's')):
    put()
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect('s')
        print('REACHED')
    except OSError as error:
        print(error.errno)
    os.unlink('s')
client = socket.socket(socket.AF_UNIX)
os.chdir(below)
client.connect(name)
client.send(b'x')
print('still', listening.accept()[0].recv(1).decode())
";
    home.file("script.py", script);
    let command = format!("python3 script.py {}", foreign.display());
    let reported = answered(&home, &[], &command);
    assert!(
        reported.contains("\n1\n1\nstill x\n")
            && !reported.contains("DONE")
            && !reported.contains("REACHED"),
        "{reported}"
    );
}

#[test]
fn programs_see_the_socket_names_that_they_bound() {
    let script = r"
import os, socket
for round in range(2):
    listening = socket.socket(socket.AF_UNIX)
    listening.bind('./s')
    listening.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(os.getcwd() + '/s')
    print(listening.getsockname(), client.getpeername(), repr(client.getsockname()))
    # As Go does it: by the name that the kernel tells.
    os.unlink(listening.getsockname())
    listening.close()
a, b = socket.socketpair()
print(repr(a.getsockname()), repr(b.getpeername()))
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    assert!(
        reported.starts_with("./s ./s ''\n./s ./s ''\n'' ''\n"),
        "{reported}"
    );
}

#[test]
fn invalid_socket_calls_fail_as_they_do_without_a_sandbox() {
    let script = r"
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(which, *arguments):
    result = getattr(libc, which)(*arguments)
    return 0 if result == 0 else errno.errorcode[ctypes.get_errno()]
address = lambda path: b'\x01\x00' + path + b'\0'
fresh = lambda: socket.socket(socket.AF_UNIX).detach()
print([call(which, fd, address(b'x'), 4) for which in ('bind', 'connect') for fd in (-1, -100, 999)])
print(call('bind', os.open('/dev/null', 0), address(b'x'), 4))
print([call('bind', fresh(), address(b'x' * 200), n) for n in (-1, 1, 111, 129)])
print(call('connect', fresh(), None, 8), call('connect', fresh(), b'\0\0abc\0', 6))
print(call('connect', fresh(), address(b'gone'), 7), call('connect', fresh(), address(b'script.py'), 12))
print(call('bind', fresh(), address(b'gone/s'), 9), call('bind', fresh(), address(b'script.py'), 12))
twice = fresh()
print(call('bind', twice, address(b'a'), 4), call('bind', twice, address(b'b'), 4), os.path.exists('b'))
print(call('connect', fresh(), address(b'a'), 4))
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    let expected = "['EBADF', 'EBADF', 'EBADF', 'EBADF', 'EBADF', 'EBADF']\n\
        ENOTSOCK\n\
        ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL']\n\
        EFAULT EINVAL\n\
        ENOENT ECONNREFUSED\n\
        ENOENT EADDRINUSE\n\
        0 EINVAL False\n\
        ECONNREFUSED\n";
    assert!(reported.starts_with(expected), "{reported}");
}

/// A connection that is not accepted is waited for no longer than the program wants.
#[test]
fn a_signal_or_a_timeout_ends_a_pending_connection() {
    let script = r"
import signal, socket, struct
listening = socket.socket(socket.AF_UNIX)
listening.bind('s')
listening.listen(0)
kept = []
def fill():
    while True:
        kept.append(socket.socket(socket.AF_UNIX))
        kept[-1].setblocking(False)
        kept[-1].connect('s')
try:
    fill()
except BlockingIOError:
    print('full')
def handler(*_):
    raise TimeoutError('by a signal')
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    socket.socket(socket.AF_UNIX).connect('s')
except TimeoutError as error:
    print(error)
limited = socket.socket(socket.AF_UNIX)
limited.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 200000))
try:
    limited.connect('s')
except BlockingIOError:
    print('by its limit', limited.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16) == struct.pack('ll', 0, 200000))
waiting = socket.socket(socket.AF_UNIX)
import threading, time
threading.Timer(0.3, lambda: [listening.accept() for _ in kept[:-1]]).start()
waiting.connect('s')
print('in the end')
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    assert!(
        reported.starts_with("full\nby a signal\nby its limit True\nin the end\n"),
        "{reported}"
    );
}

/// The descriptors are those of the calling thread, and the first thread of its process may have exited.
#[test]
fn threads_with_unshared_descriptors_are_served() {
    // PIDFD_THREAD (pidfd_open(2)): before that, only whole processes have pidfds.
    if lacks(&Need::THREAD_DESCRIPTORS) {
        return;
    }
    let script = r"
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def work(leaderless):
    if leaderless:
        while open('/proc/self/stat').read().split()[2] != 'Z':
            pass
    else:
        libc.unshare(0x400)  # CLONE_FILES
    one = socket.socket(socket.AF_UNIX)
    one.bind('s%d' % leaderless)
    print('bound', flush=True)
    os._exit(0)
for leaderless in (0, 1):
    if os.fork() == 0:
        threading.Thread(target=work, args=(leaderless,)).start()
        if leaderless:
            libc.syscall({'x86_64': 60, 'aarch64': 93}[os.uname().machine], 0)  # exit(2), of this thread
        threading.Event().wait()
    os.wait()
";
    let Some(reported) = python(&[], script) else {
        return;
    };
    assert!(reported.starts_with("bound\nbound\n"), "{reported}");
}

/// A server outside that answers each connection with a byte.
fn answering() -> u16 {
    let listening = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listening.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for mut peer in listening.incoming().flatten() {
            let _ = peer.write_all(b"!");
            let _ = peer.read(&mut [0]);
        }
    });
    port
}

/// Docker's default filter refuses `pidfd_getfd`, without which no sockets can be served. What worked without it still
/// works.
#[test]
fn without_pidfd_getfd_there_is_still_a_network() {
    if lacks(&Need::PYTHON) {
        return;
    }
    let port = answering();
    let script = r"
import socket, sys
print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(1).decode())
try:
    one = socket.socket(socket.AF_UNIX)
    one.bind('s')
    one.listen()
    socket.socket(socket.AF_UNIX).connect('s')
except OSError as error:
    print(error.errno)
";
    // The filter applies to this thread, and to whatever it starts.
    let reported = thread::spawn(move || {
        let rules = BTreeMap::from([(libc::SYS_pidfd_getfd, Vec::new())]);
        let arch = std::env::consts::ARCH.try_into().expect("it is known");
        let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch);
        let filter: BpfProgram = filter.and_then(TryInto::try_into).expect("a filter");
        seccompiler::apply_filter(&filter).expect("it is applied");
        let home = Home::with_key();
        home.file("script.py", script);
        answered(&home, &["--network"], &format!("python3 script.py {port}"))
    });
    let reported = reported.join().expect("no panic");
    assert!(reported.starts_with("!\n1\n"), "{reported}");
}

#[test]
fn programs_that_root_runs_as_another_user_have_sockets_and_a_network() {
    if lacks(&Need::ROOT) {
        return;
    }
    let script = r"
import encodings.idna, os, socket, sys
os.chmod('.', 0o777)
os.setgid(65534)
os.setuid(65534)
print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(1).decode())
listening = socket.socket(socket.AF_UNIX)
listening.bind('s')
listening.listen()
socket.socket(socket.AF_UNIX).connect('s')
print(open('/proc/self/status').read().split('CapPrm:')[1].split()[0])
";
    if lacks(&Need::PYTHON) {
        return;
    }
    let home = Home::with_key();
    home.file("script.py", script);
    let command = format!(
        "python3 script.py {}; grep CapPrm /proc/self/status",
        answering()
    );
    let reported = answered(&home, &["--network"], &command);
    assert!(reported.starts_with("!\n0000000000000000\n"), "{reported}");
    // Programs that root itself runs do not have the right to inspect others.
    assert!(
        reported.contains("CapPrm:\t00000000000000fb\n"),
        "{reported}"
    );
}

/// If tools can write to every directory for temporary files, they could replace the sockets as well.
#[test]
fn replaceable_sockets_cannot_be_bound_to_a_path() {
    if lacks(&Need::PYTHON) {
        return;
    }
    if lacks(&Need::NO_RUN_USER) {
        return;
    }
    let home = Home::with_key();
    // Not a directory, so that none can be created in it.
    fs::write(home.root().join(".cache"), "").expect("a file");
    home.file(
        "script.py",
        r"
import os, socket
for where in ('s', '\0codex-run-test-%d' % os.getpid()):
    try:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(where)
        print('bound')
    except OSError as error:
        print(error.errno)
",
    );
    let run = |flags: &[&str]| {
        let flags = [&WRITE, flags].concat();
        called(&home, &flags, vec![bash("python3 script.py")])
            .1
            .remove(0)
    };
    let tmp = home.tmp().display().to_string();
    let reported = run(&["--add-dir", &tmp]);
    assert!(reported.starts_with("1\nbound\n"), "{reported}");
    let reported = run(&[]);
    assert!(reported.starts_with("bound\nbound\n"), "{reported}");
}
