//! The fields of a server's answers at the beginning of a session. Whatever else they hold is skipped without a copy.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The result of `initialize`.
#[derive(Deserialize)]
pub(super) struct Initialized<'a> {
    #[serde(rename = "protocolVersion")]
    pub(super) version: String,
    #[serde(borrow, default)]
    pub(super) capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "serverInfo")]
    info: Option<&'a RawValue>,
}

/// The result of `server/discover`.
#[derive(Deserialize)]
pub(super) struct Discovered<'a> {
    #[serde(rename = "supportedVersions")]
    pub(super) versions: Vec<String>,
    #[serde(borrow, default)]
    pub(super) capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "serverInfo")]
    info: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/serverInfo")]
    info: &'a RawValue,
}

/// What a server says about itself.
#[derive(Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
}

/// What a server offers.
#[derive(Deserialize)]
pub(super) struct Capabilities<'a> {
    #[serde(borrow, default)]
    pub(super) tools: Option<&'a RawValue>,
}

/// A page of the result of `tools/list`.
#[derive(Deserialize)]
pub(super) struct ToolPage<'a> {
    #[serde(borrow)]
    pub(super) tools: Vec<&'a RawValue>,
    #[serde(default, rename = "nextCursor")]
    pub(super) next: Option<String>,
}

impl Initialized<'_> {
    /// What the server says about itself.
    pub(super) fn info(&self) -> Info {
        Info::of(self.info)
    }
}

impl Discovered<'_> {
    /// What the server says about itself, in either place.
    pub(super) fn info(&self) -> Info {
        let meta = self.meta.map_or("{}", RawValue::get);
        let meta = serde_json::from_str::<Meta<'_>>(meta).ok();
        Info::of(self.info.or(meta.map(|meta| meta.info)))
    }
}

impl Info {
    fn of(raw: Option<&RawValue>) -> Self {
        let raw = raw.map_or("{}", RawValue::get);
        serde_json::from_str(raw).unwrap_or_default()
    }
}
