//! What a download lays out, offered as outputs under the matching interface, is the same literals
//! again: for any literals of any types, ten thousand times a run.
//!
//! The only losses: white space around a string, the payload of NaN, `hash` and `metadata` of a
//! literal. References differ, of course: each names the place below the raw output prefix that
//! has the path where the input lay.

#[cfg(test)]
mod generate;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod normal;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use copilot::idl::blob_type::BlobDimensionality;
    use copilot::idl::{
        Literal, LiteralMap, LiteralType, SimpleType, Variable, VariableEntry, VariableMap,
        literal, literal_type,
    };
    use copilot::literal::input::{self, Arrival, BlobKind, Layout, Target};
    use copilot::literal::output::{self, OutputOptions, OutputPlan};
    use copilot::literal::render::{Binaries, MetadataFile, MetadataFormat};
    use proptest::prelude::*;

    use crate::generate::{Task, any_task, any_type, any_variable};
    use crate::memory::Memory;
    use crate::normal::{INPUTS, RAW, exact, moved, normal};

    const CASES: u32 = 10_000;

    fn interface<'a>(
        types: impl IntoIterator<Item = (&'a String, &'a LiteralType)>,
    ) -> VariableMap {
        let entry = |(name, declared): (&String, &LiteralType)| VariableEntry {
            key: name.clone(),
            value: Some(Variable {
                r#type: Some(declared.clone()),
                ..Variable::default()
            }),
        };
        VariableMap {
            variables: types.into_iter().map(entry).collect(),
        }
    }

    fn offered(outputs: &VariableMap, view: &Memory) -> Result<OutputPlan, output::OutputError> {
        output::plan(outputs, view, OutputOptions::default(), |names| {
            format!("{RAW}/{}", names.join("/"))
        })
    }

    /// The types of the inputs, as the platform passes them.
    fn binaries<'a>(types: impl IntoIterator<Item = (&'a String, &'a LiteralType)>) -> Binaries {
        let types = types.into_iter();
        let types = types.map(|(name, declared)| (name.clone(), declared.clone()));
        Binaries {
            types: types.collect(),
            ..Binaries::default()
        }
    }

    fn round_trip(task: &Task) -> Result<(), TestCaseError> {
        let literals = task.variables.iter();
        let literals = LiteralMap {
            literals: literals
                .map(|(name, (_, literal))| (name.clone(), literal.clone()))
                .collect(),
        };
        let types = || {
            let types = task.variables.iter();
            types.map(|(name, (declared, _))| (name, declared))
        };
        let target = Target {
            directory: Path::new(INPUTS),
            layout: Layout::Direct,
            metadata: MetadataFormat::Json,
            data: Arrival::Before,
            binaries: &binaries(types()),
        };
        let laid = input::plan(literals, &target).unwrap();
        let view = Memory::laid(&laid);
        let outputs = interface(types());
        let got = match offered(&outputs, &view) {
            Ok(got) => got,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        for (name, literal) in laid.literals.literals {
            let expected = normal(moved(literal));
            let got = normal(got.literals.literals[&name].clone());
            prop_assert_eq!(got, expected);
        }
        let uploads: Vec<_> = got
            .blobs
            .iter()
            .map(|blob| (&blob.path, blob.kind == BlobDimensionality::Multipart))
            .collect();
        let fetched: Vec<_> = laid
            .blobs
            .iter()
            .map(|blob| (&blob.path, blob.kind != BlobKind::Object))
            .collect();
        prop_assert_eq!(uploads, fetched);
        Ok(())
    }

    #[test]
    fn inputs_offered_as_outputs_are_the_same_literals() {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            cases: CASES,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let outcome = runner.run(&any_task(), |task| round_trip(&task));
        println!("{CASES} maps of literals");
        if let Err(error) = outcome {
            panic!("{error}");
        }
    }

    /// Whether all values of a type stand in JSON, and alone say what they are.
    fn is_plain(declared: &LiteralType) -> bool {
        match declared.r#type.as_ref().unwrap() {
            literal_type::Type::CollectionType(inner) | literal_type::Type::MapValueType(inner) => {
                is_plain(inner)
            }
            literal_type::Type::Simple(_) | literal_type::Type::EnumType(_) => true,
            _ => false,
        }
    }

    /// A value as one of the metadata files shows it, and the same file as an output.
    fn by_metadata(file: MetadataFile, declared: &LiteralType, literal: &Literal) -> Literal {
        let inner = [("o".to_owned(), literal.clone())].into();
        let mut content = Vec::new();
        file.write(
            &LiteralMap { literals: inner },
            &binaries([(&"o".to_owned(), declared)]),
            &mut content,
        )
        .unwrap();
        let map = LiteralType {
            r#type: Some(literal_type::Type::MapValueType(Box::new(declared.clone()))),
            ..LiteralType::default()
        };
        let name = file.name().replace("inputs", "v");
        let outputs = interface([(&"v".to_owned(), &map)]);
        let got = offered(&outputs, &Memory::with_file(&name, content)).unwrap();
        let Some(literal::Value::Map(map)) = &got.literals.literals["v"].value else {
            panic!("{got:?}")
        };
        map.literals["o"].clone()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What `inputs.json` and `inputs.yaml` say of a value is a member of an output's file.
        #[test]
        fn metadata_files_are_outputs(variable in any_variable().prop_filter("no plain type", |(declared, _)| is_plain(declared))) {
            let (declared, literal) = variable;
            let expected = exact(literal.clone());
            prop_assert_eq!(exact(by_metadata(MetadataFile::Json, &declared, &literal)), expected.clone());
            prop_assert_eq!(exact(by_metadata(MetadataFile::Yaml, &declared, &literal)), expected);
        }
    }

    proptest! {
        /// Whatever a file holds and whatever its type: a literal or an error, and the same again.
        #[test]
        fn any_type_decides(declared in any_type(), content: Vec<u8>, name in "o(\\.(json|yaml|csv|txt|integer))?") {
            let outputs = interface([(&"o".to_owned(), &declared)]);
            let view = Memory::with_file(&name, content);
            let decide = || offered(&outputs, &view).map(|plan| format!("{plan:?}")).map_err(|error| error.to_string());
            prop_assert_eq!(decide(), decide());
        }

        /// A type that takes any text, beside what takes some texts, takes any text.
        #[test]
        fn a_union_with_a_string_takes_any_text(declared in any_type(), content: String) {
            let string = LiteralType {
                r#type: Some(literal_type::Type::Simple(SimpleType::String.into())),
                ..LiteralType::default()
            };
            let union = LiteralType {
                r#type: Some(literal_type::Type::UnionType(copilot::idl::UnionType { variants: vec![declared, string] })),
                ..LiteralType::default()
            };
            let outputs = interface([(&"o".to_owned(), &union)]);
            prop_assert!(offered(&outputs, &Memory::with_file("o", content.into_bytes())).is_ok());
        }
    }
}
