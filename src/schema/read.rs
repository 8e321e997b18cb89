//! Parses a schema into nodes, and rejects what strict mode does not support, keyword by keyword.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::format::FORMATS;
use super::keyword::{DEFINITIONS, check_shape, refusal};
use super::limits::Totals;
use super::pattern::SchemaPattern;
use super::rejection::{Unfit, unfit};
use super::schema_node::{Node, NumberBound, Placed, Types};
use super::words::{escaped, kind};

pub(super) struct SchemaReader {
    nodes: Vec<Placed>,
    /// Node numbers by the value of `$ref`.
    named: BTreeMap<String, usize>,
    totals: Totals,
}

impl SchemaReader {
    /// The root, the definitions and all subschemas; the root first.
    pub(super) fn read(root: &Map<String, Value>) -> Result<Vec<Placed>, Unfit> {
        let mut reader = Self {
            nodes: Vec::new(),
            named: BTreeMap::new(),
            totals: Totals::default(),
        };
        reader.reserve("#".to_owned(), String::new());
        for folder in DEFINITIONS {
            for name in root
                .get(folder)
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::keys)
            {
                let at = format!("/{folder}/{}", escaped(name));
                reader.reserve(format!("#{at}"), at);
            }
        }
        reader.fill(0, root, 0)?;
        Ok(reader.nodes)
    }

    fn reserve(&mut self, name: String, at: String) {
        self.named.insert(name, self.nodes.len());
        self.add(at);
    }

    fn add(&mut self, at: String) -> usize {
        self.nodes.push(Placed {
            at,
            node: Node::default(),
        });
        self.nodes.len() - 1
    }

    /// Parses a subschema.
    fn inner(&mut self, at: String, schema: &Value, level: usize) -> Result<usize, Unfit> {
        let number = self.add(at);
        self.fill_any(number, schema, level)?;
        Ok(number)
    }

    fn fill_any(&mut self, number: usize, schema: &Value, level: usize) -> Result<(), Unfit> {
        match schema {
            Value::Object(schema) => self.fill(number, schema, level),
            other => unfit(
                &self.nodes[number].at,
                format!(
                    "it is {}, but strict mode requires an object with a \"type\"",
                    kind(other)
                ),
            ),
        }
    }

    /// `level` is the number of enclosing objects.
    fn fill(
        &mut self,
        number: usize,
        schema: &Map<String, Value>,
        level: usize,
    ) -> Result<(), Unfit> {
        let at = self.nodes[number].at.clone();
        for name in schema.keys() {
            if let Some(why) = refusal(name, at.is_empty()) {
                return unfit(&format!("{at}/{}", escaped(name)), why);
            }
        }
        let mut node = Node {
            types: types(&at, schema)?,
            ..Node::default()
        };
        check_shape(&at, node.types, schema)?;
        if node.types.has(Types::OBJECT) {
            Totals::level(&at, level)?;
        }
        for (name, value) in schema {
            let here = format!("{at}/{}", escaped(name));
            match name.as_str() {
                "$ref" => node.refers = Some(self.reference(&here, value)?),
                "anyOf" => {
                    for (n, schema) in list(&here, value)?.iter().enumerate() {
                        node.any_of
                            .push(self.inner(format!("{here}/{n}"), schema, level)?);
                    }
                }
                "properties" => {
                    for (name, schema) in map(&here, value)? {
                        let here = format!("{here}/{}", escaped(name));
                        self.totals.property(&here, name)?;
                        let number = self.inner(here, schema, level + 1)?;
                        node.properties.push((name.clone(), number));
                    }
                }
                "items" => node.items = Some(self.inner(here, value, level)?),
                "$defs" | "definitions" => {
                    for (name, schema) in map(&here, value)? {
                        let here = format!("{here}/{}", escaped(name));
                        self.totals.name(&here, name)?;
                        self.fill_any(self.named[&format!("#{here}")], schema, 0)?;
                    }
                }
                "enum" => {
                    let values = list(&here, value)?;
                    for (n, value) in values.iter().enumerate() {
                        check_type(&format!("{here}/{n}"), node.types, value)?;
                    }
                    self.totals.values(&here, values)?;
                    node.one_of = Some(values.clone());
                }
                "const" => {
                    check_type(&here, node.types, value)?;
                    self.totals.constant(&here, value)?;
                    node.constant = Some(value.clone());
                }
                "pattern" => {
                    let text = string(&here, value)?;
                    node.pattern = Some(SchemaPattern::new(text).or_else(|why| {
                        unfit(
                            &here,
                            format!("this regular expression is not supported: {why}; rewrite it"),
                        )
                    })?);
                }
                "format" => {
                    let text = string(&here, value)?;
                    node.format = FORMATS.iter().find(|format| format.name == text);
                    if node.format.is_none() {
                        let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
                        return unfit(
                            &here,
                            format!(
                                "strict mode does not support the format {text:?}, only {}: remove it, or use a \"pattern\"",
                                known.join(", ")
                            ),
                        );
                    }
                }
                "minItems" => node.min_items = Some(count(&here, value)?),
                "maxItems" => node.max_items = Some(count(&here, value)?),
                "required" => check_required(&here, schema, value)?,
                _ => {
                    let (Some(bound), number) = (NumberBound::named(name), value.as_number())
                    else {
                        continue;
                    };
                    let Some(number) = number else {
                        return unfit(&here, format!("it is {}, not a number", kind(value)));
                    };
                    if bound == NumberBound::MultipleOf
                        && !NumberBound::ExclusiveMinimum.holds(number, &0.into())
                    {
                        return unfit(&here, "it must be greater than 0");
                    }
                    node.bounds.push((bound, number.clone()));
                }
            }
        }
        self.nodes[number].node = node;
        Ok(())
    }

    fn reference(&self, at: &str, value: &Value) -> Result<usize, Unfit> {
        let target = string(at, value)?;
        let Some(decoded) = percent_encoding::percent_decode_str(target)
            .decode_utf8()
            .ok()
        else {
            return unfit(at, "it is not UTF-8");
        };
        match self.named.get(&*decoded) {
            Some(number) => Ok(*number),
            None if DEFINITIONS.iter().any(|folder| {
                decoded
                    .strip_prefix(&format!("#/{folder}/"))
                    .is_some_and(|name| !name.contains('/'))
            }) =>
            {
                unfit(at, format!("there is no definition {target:?}"))
            }
            None => unfit(
                at,
                format!(
                    "{target:?} is not a definition: strict mode allows only \"#\" and \"#/$defs/NAME\"; move the schema to \"$defs\" of the outermost schema"
                ),
            ),
        }
    }
}

fn types(at: &str, schema: &Map<String, Value>) -> Result<Types, Unfit> {
    let names = match schema.get("type") {
        None => return Ok(Types::default()),
        Some(Value::Array(names)) if !names.is_empty() => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
    };
    let mut types = Types::default();
    for name in names {
        match name.as_str().and_then(Types::named) {
            Some(other) => types = types.and(other),
            None => {
                return unfit(
                    &format!("{at}/type"),
                    format!("{name} is not a type; the types are {}", Types::names()),
                );
            }
        }
    }
    Ok(types)
}

fn check_required(at: &str, schema: &Map<String, Value>, value: &Value) -> Result<(), Unfit> {
    let Value::Array(required) = value else {
        return unfit(at, format!("it is {}, not an array of names", kind(value)));
    };
    let none = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    for (n, name) in required.iter().enumerate() {
        match name.as_str() {
            Some(name) if properties.contains_key(name) => {}
            _ => return unfit(&format!("{at}/{n}"), format!("there is no property {name}")),
        }
    }
    match properties
        .keys()
        .find(|name| !required.iter().any(|other| other == *name))
    {
        Some(name) => unfit(
            at,
            format!(
                "{name:?} is missing: strict mode requires every property to be listed; to make it optional, add \"null\" to its types"
            ),
        ),
        None => Ok(()),
    }
}

/// The service: "enum value ... does not validate against ...".
fn check_type(at: &str, types: Types, value: &Value) -> Result<(), Unfit> {
    if types.is_empty() || types.fit(value) {
        return Ok(());
    }
    unfit(
        at,
        format!("{value} does not have the schema's type, {}", types.words()),
    )
}

fn list<'a>(at: &str, value: &'a Value) -> Result<&'a Vec<Value>, Unfit> {
    match value {
        Value::Array(list) if !list.is_empty() => Ok(list),
        Value::Array(_) => unfit(at, "it is empty: no value would match"),
        other => unfit(at, format!("it is {}, not an array", kind(other))),
    }
}

fn map<'a>(at: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Unfit> {
    value.as_object().map_or_else(
        || unfit(at, format!("it is {}, not an object", kind(value))),
        Ok,
    )
}

fn string<'a>(at: &str, value: &'a Value) -> Result<&'a str, Unfit> {
    value.as_str().map_or_else(
        || unfit(at, format!("it is {}, not a string", kind(value))),
        Ok,
    )
}

/// A number of items; 2.0 counts as one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // guaranteed by the conditions
fn count(at: &str, value: &Value) -> Result<u64, Unfit> {
    match (value.as_u64(), value.as_f64()) {
        (Some(n), _) => Ok(n),
        (None, Some(n)) if n.fract() == 0.0 && n >= 0.0 => Ok(n as u64),
        _ => unfit(at, format!("{value} is not a number of items")),
    }
}
