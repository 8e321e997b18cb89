//! The part of the public JSON-Schema-Test-Suite that concerns strict mode. The file lists what was omitted, and why.

use serde::Deserialize;
use serde_json::Value;

use super::strict::Schema;

#[derive(Deserialize)]
struct Suite {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    keyword: String,
    description: String,
    schema: Value,
    cases: Vec<SuiteCase>,
}

#[derive(Deserialize)]
struct SuiteCase {
    description: String,
    data: Value,
    valid: bool,
}

#[test]
fn every_case_of_the_suite_passes() {
    let text = include_str!("../../tests/it/data/schema-suite.json");
    let suite: Suite = serde_json::from_str(text).expect("the suite");
    let (mut cases, mut wrong) = (0, Vec::new());
    for group in suite.groups {
        let name = format!("{}: {}", group.keyword, group.description);
        let schema = match Schema::parse(&group.schema) {
            Ok(schema) => schema,
            Err(unfit) => {
                wrong.push(format!("{name}: {unfit:?}"));
                continue;
            }
        };
        for case in group.cases {
            let result = schema.check(&case.data);
            if result.is_ok() != case.valid {
                wrong.push(format!("{name}: {}: {result:?}", case.description));
            }
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 300, "only {cases} cases");
}
