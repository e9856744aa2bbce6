//! Literals without what may be lost on the way.

use copilot::idl::{Literal, literal, primitive, scalar};
use copilot::literal::object_name;

/// The input directory.
pub const INPUTS: &str = "/in";
/// The raw output prefix.
pub const RAW: &str = "s3://b/raw";

/// The literal with its local references as uploads would have them.
pub fn moved(mut literal: Literal) -> Literal {
    each_scalar(&mut literal, &mut |scalar| {
        let uri = match scalar {
            scalar::Value::Blob(blob) => &mut blob.uri,
            scalar::Value::Schema(schema) => &mut schema.uri,
            scalar::Value::StructuredDataset(dataset) => &mut dataset.uri,
            _ => return,
        };
        let names = uri.strip_prefix(INPUTS).unwrap().split('/');
        let names: Vec<_> = names.map(object_name).collect();
        *uri = format!("{RAW}{}", names.join("/"));
    });
    literal
}

/// The literal with its strings trimmed, and one kind of NaN.
pub fn normal(literal: Literal) -> Literal {
    let mut literal = exact(literal);
    each_scalar(&mut literal, &mut |scalar| match scalar {
        scalar::Value::Primitive(primitive) => {
            if let Some(primitive::Value::StringValue(text)) = &mut primitive.value {
                trim(text);
            }
        }
        scalar::Value::Error(error) => trim(&mut error.message),
        _ => {}
    });
    literal
}

/// The literal with one kind of NaN, which equals itself.
pub fn exact(mut literal: Literal) -> Literal {
    each_scalar(&mut literal, &mut |scalar| {
        if let scalar::Value::Primitive(primitive) = scalar
            && let Some(primitive::Value::FloatValue(number)) = primitive.value
            && number.is_nan()
        {
            // No number that is printed so.
            primitive.value = Some(primitive::Value::StringValue("NaN".to_owned()));
        }
    });
    literal
}

fn trim(text: &mut String) {
    *text = text.trim_matches([' ', '\n', '\t']).to_owned();
}

fn each_scalar(literal: &mut Literal, change: &mut impl FnMut(&mut scalar::Value)) {
    literal.hash.clear();
    literal.metadata.clear();
    match literal.value.as_mut().unwrap() {
        literal::Value::Collection(list) => {
            for element in &mut list.literals {
                each_scalar(element, change);
            }
        }
        literal::Value::Map(map) => {
            for value in map.literals.values_mut() {
                each_scalar(value, change);
            }
        }
        literal::Value::Scalar(scalar) => match scalar.value.as_mut().unwrap() {
            scalar::Value::Union(union) => each_scalar(union.value.as_mut().unwrap(), change),
            value => change(value),
        },
        literal::Value::OffloadedMetadata(_) => panic!("none is generated"),
    }
}
