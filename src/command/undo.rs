//! What a panic must undo, since it ends the process without dropping anything. What a killed process may leave behind needs no
//! entry.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tools::toolbox::Toolbox;

/// When something is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoStage {
    /// Before the panic is reported: what hides the report on the terminal. It must not take long.
    BeforeReport,
    /// After that.
    AfterReport,
}

static ACTIONS: Mutex<Vec<UndoAction>> = Mutex::new(Vec::new());

struct UndoAction {
    number: u64,
    stage: UndoStage,
    act: Box<dyn FnOnce() + Send>,
}

/// Dropping it means that there is nothing to undo any more.
#[derive(Debug)]
pub(super) struct UndoGuard(u64);

/// Has a panic do this, unless the guard is dropped before.
pub(super) fn on_panic(stage: UndoStage, act: impl FnOnce() + Send + 'static) -> UndoGuard {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let act = Box::new(act);
    actions().push(UndoAction { number, stage, act });
    UndoGuard(number)
}

/// Has a panic end the calls of these tools, and remove their temporary directory.
pub(super) fn end_tools_on_panic(tools: &Arc<Toolbox>) -> UndoGuard {
    let tools = Arc::downgrade(tools);
    on_panic(UndoStage::AfterReport, move || {
        if let Some(tools) = tools.upgrade() {
            tools.end();
            let _ = tools.clean();
        }
    })
}

/// Undoes what is to be undone at this stage, the latest first.
pub fn undo(stage: UndoStage) {
    let (now, later) = mem::take(&mut *actions())
        .into_iter()
        .partition(|action| action.stage == stage);
    *actions() = later;
    let now: Vec<UndoAction> = now;
    for action in now.into_iter().rev() {
        (action.act)();
    }
}

fn actions() -> MutexGuard<'static, Vec<UndoAction>> {
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for UndoGuard {
    fn drop(&mut self) {
        let mut actions = actions();
        let place = actions.iter().position(|action| action.number == self.0);
        let action = place.map(|place| actions.swap_remove(place));
        drop(actions);
        drop(action);
    }
}
