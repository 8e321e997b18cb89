//! What standard output was when the process began. The runtime of std opens the null device in place of a standard
//! descriptor that is closed, and nothing later tells that from a null device which somebody gave us on purpose. So
//! the loader calls a function before `main` that looks: on Linux and macOS; elsewhere nobody looks, and a closed
//! standard output goes unnoticed. This is the one place with an attribute that is `unsafe`.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, fcntl_getfl};

/// Standard output was found to be closed, or open for reading only.
static USELESS: AtomicBool = AtomicBool::new(false);

// SAFETY: the loader takes every word of this section for the address of a function, and this is one, with the C
// calling convention; the arguments that some loaders pass are ignored. It runs before std is ready and uses none
// of it: it makes one system call, which a closed descriptor answers with an error, and stores into an atomic. It
// allocates nothing and cannot unwind.
#[allow(unsafe_code)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[used]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let writable = fcntl_getfl(rustix::stdio::stdout())
        .is_ok_and(|flags| flags & OFlags::RWMODE != OFlags::RDONLY);
    USELESS.store(!writable, Ordering::Relaxed);
}

/// Whether standard output could be written to when the process began.
pub(super) fn stdout_was_open() -> bool {
    !USELESS.load(Ordering::Relaxed)
}
