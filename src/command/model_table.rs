//! A list of models, as a table for people and as JSON.

use serde_json::{Value, json as value};

use crate::models::Model;
use crate::models::catalogue::Availability;
use crate::output::columns::{self, TableColumn};
use crate::output::visible::line;

/// Where a list is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListOrigin {
    /// The service, at this time in Unix seconds.
    Service(u64),
    /// The cache, with a list received at this time in Unix seconds.
    Kept(u64),
    /// This program.
    BuiltIn,
}

/// A model in the list.
#[derive(Clone, Debug)]
pub(super) struct ModelLine {
    /// The value for `-m`.
    pub(super) id: String,
    pub(super) model: Model,
    /// It is available to the current credential.
    pub(super) usable: bool,
    /// It is the default model.
    pub(super) preferred: bool,
    /// The plan of the current credential does not include it.
    pub(super) other_plan: bool,
    /// How it stands with a sign-in, and with a key, as far as that is known.
    pub(super) standing: Option<(Availability, Availability)>,
}

impl ModelLine {
    pub(super) fn new(model: Model) -> Self {
        Self {
            id: model.id.clone(),
            model,
            usable: false,
            preferred: false,
            other_plan: false,
            standing: None,
        }
    }

    fn cells(&self, all: bool) -> Vec<String> {
        let model = &self.model;
        let mark = if self.preferred { " *" } else { "" };
        let tokens = |count: u64| match count {
            large if large >= 1000 => format!("{}k", large / 1000),
            small => small.to_string(),
        };
        let context = match (model.context, model.most_context) {
            (Some(context), Some(most)) if most > context => {
                format!("{}-{}", tokens(context), tokens(most))
            }
            (Some(context), _) => tokens(context),
            _ => "?".to_owned(),
        };
        let effort = match &model.efforts {
            _ if model.plain => "none".to_owned(),
            None => "?".to_owned(),
            Some(efforts) => {
                let marked = efforts.iter().map(|effort| {
                    let by_itself = model.effort.as_ref() == Some(effort);
                    let mark = if by_itself { "*" } else { "" };
                    format!("{effort}{mark}")
                });
                marked.collect::<Vec<_>>().join(" ")
            }
        };
        let takes = if model.text_only {
            "text"
        } else {
            "text image"
        };
        let price = model.price.map_or(String::new(), |price| {
            format!("{} / {}", price.input, price.output)
        });
        let id = format!("{}{mark}", line(&self.id));
        let mut cells = vec![id, context, line(&effort).into_owned()];
        cells.extend([takes.to_owned(), price]);
        if all {
            cells.push(self.marks().join(" "));
        }
        cells
    }

    /// The marks in the list of all known models.
    fn marks(&self) -> Vec<&'static str> {
        let model = &self.model;
        let (chatgpt, api) = match self.standing {
            Some((chatgpt, api)) => (Some(chatgpt), Some(api)),
            None => (None, None),
        };
        let marks = [
            self.usable.then_some("usable"),
            match chatgpt {
                Some(Availability::Current) => Some("chatgpt"),
                Some(Availability::Retired) => Some("chatgpt-retired"),
                Some(Availability::Never) | None => None,
            },
            match api {
                Some(Availability::Current) => Some("api"),
                Some(Availability::Retired) => Some("api-retired"),
                Some(Availability::Never) | None => None,
            },
            model.hidden.then_some("hidden"),
            self.other_plan.then_some("other-plan"),
        ];
        marks.into_iter().flatten().collect()
    }

    fn json(&self) -> Value {
        let model = &self.model;
        let standing = |standing| match standing {
            Availability::Current => value!("current"),
            Availability::Retired => value!("retired"),
            Availability::Never => Value::Null,
        };
        let (chatgpt, api) = self
            .standing
            .map_or((Value::Null, Value::Null), |(chatgpt, api)| {
                (standing(chatgpt), standing(api))
            });
        let inputs: &[&str] = if model.text_only {
            &["text"]
        } else {
            &["text", "image"]
        };
        let price = model.price.map(
            |price| value!({"input": price.input, "cached": price.cached, "output": price.output}),
        );
        value!({
            "id": self.id,
            "name": model.name,
            "default": self.preferred,
            "usable": self.usable,
            "context_window": model.context,
            "max_context_window": model.window(),
            "max_output_tokens": model.output,
            "efforts": model.efforts,
            "default_effort": model.effort,
            "verbosity": model.verbosity,
            "inputs": inputs,
            "tiers": model.tiers,
            "usd_per_million_tokens": price,
            "hidden": model.hidden,
            "older": model.older,
            "other_plan": self.other_plan,
            "chatgpt": chatgpt,
            "api": api,
        })
    }
}

/// The columns of the list. What is left out on a narrow terminal is in the list for programs.
const COLUMNS: [TableColumn; 6] = [
    TableColumn::fixed("model"),
    TableColumn {
        rank: 2,
        ..TableColumn::fixed("context")
    },
    TableColumn {
        least: Some(10),
        rank: 1,
        ..TableColumn::fixed("effort")
    },
    TableColumn {
        rank: 3,
        ..TableColumn::fixed("input")
    },
    TableColumn {
        rank: 4,
        ..TableColumn::fixed("$ per 1M in / out")
    },
    TableColumn {
        least: Some(14),
        ..TableColumn::fixed("status")
    },
];

/// The list for people, fitted into `columns` if they are limited.
pub(super) fn table(lines: &[ModelLine], all: bool, columns: Option<usize>) -> String {
    let rows: Vec<Vec<String>> = lines.iter().map(|line| line.cells(all)).collect();
    let heads = &COLUMNS[..COLUMNS.len() - usize::from(!all)];
    columns::table(heads, &rows, columns)
}

/// The list for programs.
pub(super) fn json(lines: &[ModelLine], origin: ListOrigin) -> String {
    let models: Vec<Value> = lines.iter().map(ModelLine::json).collect();
    let (source, at) = match origin {
        ListOrigin::Service(at) => ("service", Some(at)),
        ListOrigin::Kept(at) => ("cache", Some(at)),
        ListOrigin::BuiltIn => ("built-in", None),
    };
    let list = value!({"models": models, "source": source, "fetched_at": at});
    format!("{list:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell() {
        let long = Model {
            context: Some(272_000),
            most_context: Some(872_000),
            efforts: Some(vec!["low".to_owned(), "high".to_owned()]),
            effort: Some("low".to_owned()),
            ..Model::unknown("a-long-name")
        };
        let lines = [
            ModelLine {
                preferred: true,
                ..ModelLine::new(long)
            },
            ModelLine::new(Model {
                text_only: true,
                plain: true,
                ..Model::unknown("b")
            }),
        ];
        assert_eq!(
            table(&lines, false, None),
            "model          context    effort     input       $ per 1M in / out\n\
             a-long-name *  272k-872k  low* high  text image\n\
             b              ?          none       text\n"
        );
        assert_eq!(
            table(&lines, false, Some(40)),
            "model          context    effort\n\
             a-long-name *  272k-872k  low* high\n\
             b              ?          none\n"
        );
    }
}
