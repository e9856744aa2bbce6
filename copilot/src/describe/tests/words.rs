//! Which message bytes are, types in words, and documents in words.

use super::typed;
use crate::describe::{Document, DocumentKind, Given, Inputs, human_size, parse_type, type_words};
use crate::idl::blob_type::BlobDimensionality;
use crate::idl::literal_type::Type;
use crate::idl::{
    BlobType, ContainerError, ErrorDocument, Literal, LiteralMap, Message as _, SimpleType,
    TypedInterface, Variable, VariableEntry, VariableMap, primitive,
};

fn kind_of(bytes: &[u8], name: &str) -> DocumentKind {
    Document::decode(bytes, name, None).unwrap().kind()
}

#[test]
fn bytes_show_which_message_they_are() {
    let variables = |name: &str| {
        let declared = parse_type("list[file[csv]]").unwrap();
        VariableMap {
            variables: vec![VariableEntry {
                key: name.to_owned(),
                value: Some(Variable {
                    r#type: Some(declared),
                    ..Variable::default()
                }),
            }],
        }
    };
    for name in ["x", "result", "a_long_name", "n0"] {
        let literal = Literal::from(primitive::Value::Integer(3));
        let literals = [(name.to_owned(), literal)].into();
        let values = LiteralMap { literals }.encode_to_vec();
        assert_eq!(kind_of(&values, ""), DocumentKind::Values, "{name}");
        for (inputs, outputs) in [(true, false), (false, true), (true, true)] {
            let interface = TypedInterface {
                inputs: inputs.then(|| variables(name)),
                outputs: outputs.then(|| variables(name)),
            };
            let bytes = interface.encode_to_vec();
            assert_eq!(kind_of(&bytes, ""), DocumentKind::Interface, "{name}");
        }
        let bytes = variables(name).encode_to_vec();
        assert_eq!(kind_of(&bytes, ""), DocumentKind::Variables, "{name}");
        let error = ErrorDocument {
            error: Some(ContainerError {
                code: name.to_owned(),
                message: format!("{name} failed"),
                kind: 1,
                origin: 1,
                ..ContainerError::default()
            }),
        };
        let bytes = error.encode_to_vec();
        assert_eq!(kind_of(&bytes, "x.pb"), DocumentKind::Error, "{name}");
    }
    assert_eq!(kind_of(b"", ""), DocumentKind::Values);
    assert_eq!(kind_of(b"", "errors.pb"), DocumentKind::Error);
    let error = Document::decode(b"this is a text", "", None).unwrap_err();
    assert!(
        error.to_string().contains("none of the messages"),
        "{error}"
    );
}

#[test]
fn short_and_long_names_of_types() {
    for (short, long) in [
        ("int", "integer"),
        ("str", "string"),
        ("bool?", "boolean | none"),
        ("optional[int]", "integer | none"),
        ("list[dict]", "list[struct]"),
        ("map[ file[ tar.gz ] ]", "map[file[tar.gz]]"),
        ("dir", "directory"),
        ("table[parquet]", "dataset[parquet]"),
        ("enum[a, b c]", "enum[a, \"b c\"]"),
        ("(int|str)?", "union[integer | string, none]"),
        ("INTEGER|File", "integer | file"),
    ] {
        assert_eq!(type_words(&parse_type(short).unwrap()), long, "{short}");
        let again = parse_type(long).unwrap();
        assert_eq!(again, parse_type(short).unwrap(), "{long}");
    }
    for (words, rule) in [
        ("", "a name is missing"),
        ("integr", "\"integr\" is unknown"),
        ("list", "'[' must follow list"),
        ("list[int", "']' must follow"),
        ("int int", "follows the type"),
        ("enum[\"a]", "does not end"),
        (&"list[".repeat(100), "nests deeper"),
    ] {
        let error = parse_type(words).unwrap_err().to_string();
        assert!(error.contains(rule), "{words}: {error}");
    }
}

#[test]
fn words_for_people() {
    let given = ["x=3", "data:file[csv]=s3://b/t.csv"].map(|text| Given::parse(text).unwrap());
    let literals = Inputs::read(None, &given, None).unwrap().literals;
    assert_eq!(
        Document::Values(literals).in_words(),
        "2 values\n  data  file[csv]  \"s3://b/t.csv\"\n  x     integer    3\n"
    );
    assert_eq!(human_size(0), "0 B");
    assert_eq!(human_size(1023), "1023 B");
    assert_eq!(human_size(1536), "1.5 KiB");
    assert_eq!(human_size(u64::MAX), "16777215.9 TiB");
    let dimensionality = BlobDimensionality::Multipart.into();
    let blob = typed(Type::Blob(BlobType {
        dimensionality,
        ..BlobType::default()
    }));
    assert_eq!(type_words(&blob), "directory");
    assert_eq!(
        type_words(&typed(Type::Simple(SimpleType::Struct.into()))),
        "struct"
    );
}
