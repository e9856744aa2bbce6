//! Template variables in a command's arguments, as Flyte's plugins fill them in (flyteplugins,
//! `pluginmachinery/core/template`): `{{.inputs.x}}` anywhere, in any case, with blanks, `$` for the dot. All
//! other text stays as it is. Pure.
//!
//! One difference: a task without any input keeps `{{.inputs.x}}` on the platform; here it is an error.

use thiserror::Error;

use super::printed::{PrintError, print};
use crate::idl::LiteralMap;

/// The values of the variables.
#[derive(Debug)]
pub(super) struct TemplateValues<'a> {
    /// `{{.input}}`: `inputs.pb`.
    pub(super) input: String,
    /// `{{.inputPrefix}}`: the directory of `inputs.pb`.
    pub(super) input_prefix: String,
    /// `{{.outputPrefix}}`: where `outputs.pb` goes.
    pub(super) output_prefix: String,
    /// `{{.rawOutputDataPrefix}}`: where data goes.
    pub(super) raw_output_data_prefix: String,
    /// `{{.checkpointOutputPrefix}}`.
    pub(super) checkpoint_output_prefix: String,
    /// `{{.perRetryUniqueKey}}`: a letter, then letters, digits and `_`.
    pub(super) per_retry_unique_key: String,
    /// `{{.inputs.NAME}}`.
    pub(super) inputs: &'a LiteralMap,
}

/// A variable that cannot be filled in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TemplateError {
    /// The task has no such input.
    #[error("{variable} in the command: the task has no input {name}; its inputs are {known}")]
    UnknownInput {
        /// The variable as it stands in the command.
        variable: String,
        /// The input's name.
        name: String,
        /// The inputs that there are.
        known: String,
    },
    /// The input's value has no text.
    #[error("{variable} in the command: {rule}")]
    Unprintable {
        /// The variable as it stands in the command.
        variable: String,
        /// Why not.
        rule: String,
    },
    /// The platform has it, and we do not.
    #[error("{0} in the command: only the platform keeps the task's template in a store")]
    TaskTemplate(String),
}

/// Fills in one argument.
///
/// # Errors
/// The first variable that has no value.
pub(super) fn fill(argument: &str, values: &TemplateValues<'_>) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find("{{") {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let replaced = match variable(rest) {
            Some((name, length)) => {
                value(name, &rest[..length], values)?.map(|text| (text, length))
            }
            None => None,
        };
        if let Some((text, length)) = replaced {
            filled.push_str(&text);
            rest = &rest[length..];
        } else {
            // One brace only: `{{{.input}}` holds a variable, too.
            filled.push('{');
            rest = &rest[1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The name of the variable at the beginning of the text, and the length of all of it.
fn variable(text: &str) -> Option<(&str, usize)> {
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let inner = text.strip_prefix("{{")?.trim_start_matches(blank);
    let inner = inner.strip_prefix(['.', '$'])?;
    let end = inner.find(|c| blank(c) || c == '}')?;
    let (name, rest) = inner.split_at(end);
    let rest = rest.trim_start_matches(blank).strip_prefix("}}")?;
    (!name.is_empty()).then_some((name, text.len() - rest.len()))
}

/// The value of a variable; none if the platform does not know it.
fn value(
    name: &str,
    variable: &str,
    values: &TemplateValues<'_>,
) -> Result<Option<String>, TemplateError> {
    const INPUTS: &str = "inputs.";
    let of_inputs = name
        .get(..INPUTS.len())
        .filter(|prefix| prefix.eq_ignore_ascii_case(INPUTS))
        .and_then(|_| name.get(INPUTS.len()..))
        .filter(|input| !input.is_empty());
    if let Some(input) = of_inputs {
        return of_input(input, variable, values).map(Some);
    }
    let known = match name.to_ascii_lowercase().as_str() {
        "input" => &values.input,
        "inputprefix" => &values.input_prefix,
        "outputprefix" => &values.output_prefix,
        "rawoutputdataprefix" => &values.raw_output_data_prefix,
        "checkpointoutputprefix" => &values.checkpoint_output_prefix,
        "perretryuniquekey" => &values.per_retry_unique_key,
        // Of a first attempt.
        "prevcheckpointprefix" => "\"\"",
        "namespace" => "default",
        "tasktemplatepath" => return Err(TemplateError::TaskTemplate(variable.to_owned())),
        _ => return Ok(None),
    };
    Ok(Some(known.to_owned()))
}

fn of_input(
    name: &str,
    variable: &str,
    values: &TemplateValues<'_>,
) -> Result<String, TemplateError> {
    let literals = &values.inputs.literals;
    let literal = literals.get(name).ok_or_else(|| {
        let known: Vec<&str> = literals.keys().map(String::as_str).collect();
        TemplateError::UnknownInput {
            variable: variable.to_owned(),
            name: name.to_owned(),
            known: if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            },
        }
    })?;
    print(literal).map_err(|error: PrintError| TemplateError::Unprintable {
        variable: variable.to_owned(),
        rule: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::idl::{Literal, Struct, primitive, scalar};

    fn filled(argument: &str) -> Result<String, TemplateError> {
        let text = |value: &str| Literal::from(primitive::Value::StringValue(value.to_owned()));
        let literals = [
            ("x".to_owned(), primitive::Value::Integer(3).into()),
            ("name".to_owned(), text("{{.inputs.x}}")),
            (
                "s".to_owned(),
                scalar::Value::Generic(Struct::default()).into(),
            ),
        ];
        let inputs = LiteralMap {
            literals: literals.into(),
        };
        let values = TemplateValues {
            input: "/in/inputs.pb".to_owned(),
            input_prefix: "/in".to_owned(),
            output_prefix: "s3://b/out".to_owned(),
            raw_output_data_prefix: "s3://b/raw".to_owned(),
            checkpoint_output_prefix: "s3://b/check".to_owned(),
            per_retry_unique_key: "a1_2".to_owned(),
            inputs: &inputs,
        };
        fill(argument, &values)
    }

    #[test]
    fn variables_are_filled_in_as_the_platform_does() {
        for (argument, expected) in [
            ("plain", "plain"),
            ("{{.inputs.x}}", "3"),
            ("--x={{ .Inputs.x }}!", "--x=3!"),
            ("{{\t$INPUTS.x\n}}{{.inputs.x}}", "33"),
            // What stands in a value is data.
            ("{{.inputs.name}}", "{{.inputs.x}}"),
            ("{{ .Input }} {{.inputprefix}}", "/in/inputs.pb /in"),
            (
                "{{.OutputPrefix}}/{{$rawOutputDataPrefix}}",
                "s3://b/out/s3://b/raw",
            ),
            ("--prev={{ .PrevCheckpointPrefix }}", "--prev=\"\""),
            ("{{.checkpointOutputPrefix}}", "s3://b/check"),
            ("{{.perRetryUniqueKEY}}", "a1_2"),
            ("{{.namespace}}", "default"),
            // No variables.
            ("${{input}}", "${{input}}"),
            (
                "{{ .wrongOutputDataPrefix }}",
                "{{ .wrongOutputDataPrefix }}",
            ),
            ("{{ .Inputs.blah blah }}", "{{ .Inputs.blah blah }}"),
            ("{{ . input }}", "{{ . input }}"),
            (
                "{{.inputs}} {{.inputs.}} {{.input}",
                "{{.inputs}} {{.inputs.}} {{.input}",
            ),
            ("{{{.inputs.x}}}", "{3}"),
            ("{{ {{.inputs.x}} }}", "{{ 3 }}"),
            ("é{{.inputs.x}}é", "é3é"),
        ] {
            assert_eq!(filled(argument).as_deref(), Ok(expected), "{argument}");
        }
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        for (argument, words) in [
            ("{{.inputs.y}}", "no input y; its inputs are name, s, x"),
            ("{{.inputs.X}}", "no input X"),
            ("{{.inputs.s}}", "no struct into a command"),
            ("{{.taskTemplatePath}}", "only the platform"),
        ] {
            let error = filled(argument).unwrap_err().to_string();
            assert!(error.contains(words), "{argument}: {error}");
            assert!(error.starts_with(argument), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text: String, parts in "(\\{|\\}|\\.|\\$| |inputs|x|é){0,20}") {
            let _ = filled(&text);
            let _ = filled(&parts);
        }
    }
}
