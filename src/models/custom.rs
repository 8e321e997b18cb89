//! `models.json`: the user's own models and providers, in pi's format with comments. Errors have a line and column.

use serde_json::Value;
use serde_json::value::RawValue;

use super::model_override::ModelOverride;
use super::price::Price;
use super::{Model, clamp};
use crate::jsonc::{Mistake, PositionReader};
use crate::wire::request::Shape;

const FILE: &[&str] = &["providers"];
const PROVIDER: &[&str] = &[
    "name",
    "baseUrl",
    "apiKey",
    "api",
    "headers",
    "compat",
    "authHeader",
    "models",
    "modelOverrides",
];
const MODEL: &[&str] = &[
    "id",
    "name",
    "api",
    "baseUrl",
    "headers",
    "compat",
    "reasoning",
    "thinkingLevelMap",
    "efforts",
    "input",
    "contextWindow",
    "maxTokens",
    "cost",
    "shape",
    "verbosity",
];
const COST: &[&str] = &["input", "output", "cacheRead", "cacheWrite"];

/// pi's names of the protocols that are supported.
const RESPONSES: &[&str] = &[
    "openai-responses",
    "openai-codex-responses",
    "azure-openai-responses",
];

/// A provider and its models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provider {
    /// Its name, as in `-m PROVIDER/MODEL`.
    pub name: String,
    /// Its base URL.
    pub base_url: Option<ListedUrl>,
    /// Its API key, or a reference to one.
    pub api_key: Option<String>,
    /// Its protocol, if it is not supported.
    pub other_protocol: Option<String>,
    /// It specifies headers, which are not sent.
    pub headers: bool,
    /// Its models, with all properties.
    pub models: Vec<CustomModel>,
    /// Overrides of known models.
    pub changes: Vec<ModelOverride>,
}

/// A URL in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedUrl {
    /// The URL as written, not yet validated.
    pub url: String,
    /// Its position: `FILE:LINE:COLUMN`.
    pub place: String,
}

/// A model in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomModel {
    /// The model's properties.
    pub model: Model,
    /// The request shape, which overrides every other source.
    pub shape: Option<Shape>,
    /// The output token limit to send to its server.
    pub max_output: Option<u64>,
}

/// Parses the file after comments were removed.
///
/// # Errors
/// If it is invalid.
pub fn parse(text: &str, file: &str) -> Result<Vec<Provider>, Mistake> {
    let reader = PositionReader::new(text);
    let mut found = Vec::new();
    for (_, providers) in reader.fields(FILE)? {
        for (name, raw) in reader.object(providers, None)? {
            if name.is_empty() || name.contains('/') || name.contains(char::is_whitespace) {
                let what = "a provider's name must not contain a slash or white space: it is used as -m NAME/MODEL";
                return Err(reader.mistake(raw.get(), what.to_owned()));
            }
            found.push(provider(&reader, name, raw, file)?);
        }
    }
    Ok(found)
}

fn provider(
    reader: &PositionReader<'_>,
    name: String,
    raw: &RawValue,
    file: &str,
) -> Result<Provider, Mistake> {
    let mut provider = Provider {
        name,
        ..Provider::default()
    };
    for (key, raw) in reader.object(raw, Some(PROVIDER))? {
        let text = || reader.typed::<String>(raw, "a string");
        match &*key {
            "baseUrl" => {
                let place = reader.mistake(raw.get(), String::new());
                let place = format!("{file}:{}:{}", place.line, place.column);
                let url = text()?;
                provider.base_url = Some(ListedUrl { url, place });
            }
            "apiKey" => provider.api_key = Some(text()?),
            "api" => {
                provider.other_protocol = Some(text()?).filter(|api| !RESPONSES.contains(&&**api));
            }
            "headers" => provider.headers = !reader.object(raw, None)?.is_empty(),
            "models" => {
                let list: Vec<&RawValue> = reader.typed(raw, "an array of models")?;
                for raw in list {
                    provider.models.push(listed(reader, raw)?);
                }
            }
            "modelOverrides" => {
                for (id, raw) in reader.object(raw, None)? {
                    let change = change(reader, raw, Some(id))?;
                    provider.changes.push(change);
                }
            }
            _ => {}
        }
    }
    Ok(provider)
}

fn listed(reader: &PositionReader<'_>, raw: &RawValue) -> Result<CustomModel, Mistake> {
    let change = change(reader, raw, None)?;
    // The defaults of pi.
    let mut model = Model {
        plain: true,
        text_only: true,
        ..Model::unknown(&change.id)
    };
    change.apply(&mut model);
    Ok(CustomModel {
        shape: change.shape,
        max_output: model.output,
        model,
    })
}

fn change(
    reader: &PositionReader<'_>,
    raw: &RawValue,
    id: Option<String>,
) -> Result<ModelOverride, Mistake> {
    let mut change = ModelOverride {
        id: id.clone().unwrap_or_default(),
        ..ModelOverride::default()
    };
    for (key, raw) in reader.object(raw, Some(MODEL))? {
        let wrong = |what: &str| reader.mistake(raw.get(), what.to_owned());
        match &*key {
            "id" => {
                let text: String = reader.typed(raw, "a string")?;
                if id.is_some() {
                    return Err(wrong(
                        "\"id\" is not allowed here: the id is the key of this object",
                    ));
                }
                if text.parse::<crate::id::ModelId>().is_err() {
                    return Err(wrong("an id must not be empty or contain white space"));
                }
                change.id = text;
            }
            "name" => change.name = Some(reader.typed(raw, "a string")?),
            "contextWindow" => {
                change.context = Some(reader.typed(raw, "a whole number of tokens")?)
            }
            "maxTokens" => change.output = Some(reader.typed(raw, "a whole number of tokens")?),
            "reasoning" => change.reasons = Some(reader.typed(raw, "true or false")?),
            "verbosity" => change.supports_verbosity = Some(reader.typed(raw, "true or false")?),
            "efforts" => {
                let efforts: Vec<String> = reader.typed(raw, "an array of levels")?;
                if let Some(odd) = efforts.iter().find(|e| !clamp::EFFORTS.contains(&&***e)) {
                    let what = format!(
                        "unknown effort {odd:?}; the levels are {}",
                        clamp::EFFORTS.join(", ")
                    );
                    return Err(wrong(&what));
                }
                change.reasons = Some(!efforts.is_empty());
                change.efforts = Some(efforts);
            }
            "thinkingLevelMap" => {
                let fields = reader.object(raw, None)?;
                let is_unmapped = |effort: &&&str| {
                    let name = if **effort == "none" { "off" } else { effort };
                    let mapped = fields.iter().find(|(key, _)| key == name);
                    mapped.is_none_or(|(_, raw)| {
                        serde_json::from_str::<Value>(raw.get()).is_ok_and(|to| to == **effort)
                    })
                };
                let kept = clamp::EFFORTS.iter().filter(is_unmapped);
                change.efforts = Some(kept.map(|&effort| effort.to_owned()).collect());
            }
            "input" => {
                let inputs: Vec<String> =
                    reader.typed(raw, "an array of \"text\" and \"image\"")?;
                if inputs
                    .iter()
                    .any(|input| input != "text" && input != "image")
                {
                    return Err(wrong("an input must be \"text\" or \"image\""));
                }
                change.text_only = Some(!inputs.iter().any(|input| input == "image"));
            }
            "cost" => change.price = Some(price(reader, raw)?),
            "shape" => {
                let name: String = reader.typed(raw, "a string")?;
                let shape = Shape::of(&name);
                change.shape = Some(shape.ok_or_else(|| {
                    wrong("a shape must be \"classic\", \"additional\" or \"lite\"")
                })?);
            }
            _ => {}
        }
    }
    if change.id.is_empty() {
        return Err(reader.mistake(raw.get(), "the field \"id\" is missing".to_owned()));
    }
    Ok(change)
}

fn price(reader: &PositionReader<'_>, raw: &RawValue) -> Result<Price, Mistake> {
    let fields = reader.object(raw, Some(COST))?;
    let field = |name: &str| -> Result<Option<f64>, Mistake> {
        let found = fields.iter().find(|(key, _)| key == name);
        let wanted = "a number of dollars per million tokens";
        found
            .map(|(_, raw)| match reader.typed::<f64>(raw, wanted)? {
                price if price >= 0.0 => Ok(price),
                _ => Err(reader.mistake(raw.get(), format!("this must be {wanted}"))),
            })
            .transpose()
    };
    Ok(Price {
        input: field("input")?.unwrap_or_default(),
        cached: field("cacheRead")?,
        written: field("cacheWrite")?.filter(|price| *price > 0.0),
        output: field("output")?.unwrap_or_default(),
        long: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Provider>, String> {
        parse(text, "F").map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn a_file_of_pi_is_read() {
        let text = r#"{"providers": {
            "box": {"name": "My box", "baseUrl": "http://127.0.0.1:1234/v1", "apiKey": "$BOX", "api": "openai-responses",
                "compat": {"x": 1}, "models": [{"id": "small", "contextWindow": 8192, "maxTokens": 2048,
                "input": ["text", "image"], "cost": {"input": 1, "output": 2, "cacheRead": 0.5, "cacheWrite": 0}},
                {"id": "deep", "reasoning": true, "thinkingLevelMap": {"off": null, "xhigh": "max"}, "shape": "lite"}]},
            "old": {"baseUrl": "https://old.example/v1", "api": "openai-completions", "headers": {"x": "y"}},
            "openai": {"modelOverrides": {"gpt-5.5": {"name": "Mine", "contextWindow": 1000, "efforts": ["high"]}}}}}"#;
        let found = parsed(text).expect("providers");
        let [box_provider, old, openai] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            box_provider.base_url,
            Some(ListedUrl {
                url: "http://127.0.0.1:1234/v1".to_owned(),
                place: "F:2:50".to_owned(),
            })
        );
        assert_eq!(
            (
                box_provider.api_key.as_deref(),
                &box_provider.other_protocol
            ),
            (Some("$BOX"), &None)
        );
        let small = &box_provider.models[0];
        assert!(small.model.plain && !small.model.text_only && small.max_output == Some(2048));
        assert_eq!(small.model.window(), Some(8192));
        let deep = &box_provider.models[1];
        assert_eq!(deep.shape, Some(Shape::Lite));
        assert_eq!(deep.model.efforts.as_ref().map(Vec::len), Some(5));
        assert!(!deep.model.plain && deep.model.text_only);
        assert!(old.headers && old.other_protocol.as_deref() == Some("openai-completions"));
        let mut model = Model {
            most_context: Some(5000),
            ..Model::unknown("gpt-5.5")
        };
        openai.changes[0].apply(&mut model);
        assert_eq!((&*model.name, model.window()), ("Mine", Some(1000)));
        assert_eq!(model.efforts, Some(vec!["high".to_owned()]));
    }

    #[test]
    fn errors_have_line_and_column() {
        let check = |text: &str, expected: &str| {
            assert_eq!(parsed(text), Err(expected.to_owned()), "{text}");
        };
        check(r#"{"provider": {}}"#, "1:2: unknown field \"provider\"");
        check(r#"{"providers": []}"#, "1:15: this must be an object");
        check(
            r#"{"providers": {"a/b": {}}}"#,
            "1:23: a provider's name must not contain a slash or white space: it is used as -m NAME/MODEL",
        );
        check(
            r#"{"providers": {"a": {"url": ""}}}"#,
            "1:22: unknown field \"url\"",
        );
        check(
            r#"{"providers": {"a": {"models": {}}}}"#,
            "1:32: this must be an array of models",
        );
        check(
            r#"{"providers": {"a": {"models": [{}]}}}"#,
            "1:33: the field \"id\" is missing",
        );
        check(
            r#"{"providers": {"a": {"models": [{"id": "a b"}]}}}"#,
            "1:40: an id must not be empty or contain white space",
        );
        check(
            r#"{"providers": {"a": {"models": [{"id": "a", "input": ["sound"]}]}}}"#,
            "1:54: an input must be \"text\" or \"image\"",
        );
        check(
            r#"{"providers": {"a": {"models": [{"id": "a", "cost": {"input": -1}}]}}}"#,
            "1:63: this must be a number of dollars per million tokens",
        );
        check(
            r#"{"providers": {"a": {"models": [{"id": "a", "shape": "round"}]}}}"#,
            "1:54: a shape must be \"classic\", \"additional\" or \"lite\"",
        );
        check(
            r#"{"providers": {"a": {"models": [{"id": "a", "contextWindow": "8k"}]}}}"#,
            "1:62: this must be a whole number of tokens",
        );
    }
}
