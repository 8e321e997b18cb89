// For the examples of the documentation, which include this file: the stand-in inside their own process.

#[allow(dead_code, unused_imports, reason = "each example uses a part of it")]
#[path = "mod.rs"]
mod standin;

#[allow(unused_imports, reason = "each example uses a part of it")]
use standin::{Item, Reply, Server};
