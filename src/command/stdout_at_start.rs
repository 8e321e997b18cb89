//! The state of standard output when the process started. The runtime of std opens `/dev/null` instead of a closed
//! standard descriptor, which later cannot be distinguished from a `/dev/null` that the caller passed on purpose. So the
//! loader calls a function before `main` that checks it, on Linux and macOS; elsewhere a closed standard output goes
//! unnoticed. This is the only file with an `unsafe` attribute.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, fcntl_getfl};

/// Standard output was closed or read-only.
static NOT_WRITABLE: AtomicBool = AtomicBool::new(false);

// SAFETY: the loader treats every word of this section as the address of a function, and this is one, with the C calling
// convention; arguments that some loaders pass are ignored. It runs before std is initialised and does not depend on it:
// it makes one system call, which fails on a closed descriptor, and stores into an atomic. It allocates nothing and cannot
// unwind.
#[allow(unsafe_code)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[used]
static CHECK: extern "C" fn() = check;

extern "C" fn check() {
    let writable = fcntl_getfl(rustix::stdio::stdout())
        .is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
    NOT_WRITABLE.store(!writable, Ordering::Relaxed);
}

/// Whether standard output was writable when the process started.
pub(super) fn stdout_was_open() -> bool {
    !NOT_WRITABLE.load(Ordering::Relaxed)
}
