//! The operations of GitHub's description, as far as it was cut out.

use serde_json::Value;

use super::prism::Passed;

/// A method and a path with `{names}`.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) template: String,
}

/// A path of that form, of which nothing exists.
pub(crate) fn example(template: &str) -> String {
    let segment = |segment: &'_ str| if segment.starts_with('{') { "1" } else { segment }.to_owned();
    template.split('/').map(segment).collect::<Vec<String>>().join("/")
}

/// All there are.
pub(crate) fn operations() -> Vec<Operation> {
    let description: Value = serde_json::from_str(include_str!("../../github/description.json")).expect("JSON");
    let paths = description["paths"].as_object().expect("paths");
    let of_path = |(template, methods): (&String, &Value)| {
        let methods: Vec<String> = methods.as_object().expect("methods").keys().map(|m| m.to_uppercase()).collect();
        methods.into_iter().map(|method| Operation { method, template: template.clone() }).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// Whether that call was one of this operation, and done.
pub(crate) fn called(operation: &Operation, passed: &Passed) -> bool {
    let path = passed.path.split('?').next().unwrap_or_default();
    let (template, path): (Vec<&str>, Vec<&str>) = (operation.template.split('/').collect(), path.split('/').collect());
    let fits = template.len() == path.len()
        && template.iter().zip(&path).all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
    fits && operation.method == passed.method && (200..300).contains(&passed.status)
}
