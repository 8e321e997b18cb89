//! What `codex --version` prints: the promised line, then what this program was built from, which `build.rs` finds out.

/// Two lines: the version; the commit and the target.
pub(super) fn text() -> String {
    format!(
        "codex-run {} (independent client, not OpenAI's Codex CLI)\ncommit {}, {}\n",
        env!("CARGO_PKG_VERSION"),
        env!("CODEX_RUN_BUILT_FROM"),
        env!("CODEX_RUN_BUILT_FOR"),
    )
}
