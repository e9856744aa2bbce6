use proptest::prelude::*;

use super::Reference;

fn parsed(text: &str) -> (String, String, String) {
    let reference = Reference::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    (
        reference.scheme().to_owned(),
        reference.container().to_owned(),
        reference.key().to_owned(),
    )
}

/// The table of spec §6.1.
#[test]
fn reads_what_the_reference_reads() {
    for (text, scheme, container, key) in [
        ("s3://b/k", "s3", "b", "k"),
        ("s3://b/k/", "s3", "b", "k"),
        ("s3://b//k", "s3", "b", "k"),
        ("S3://b/k", "s3", "b", "k"),
        ("s3://b", "s3", "b", ""),
        ("s3://b/a b", "s3", "b", "a b"),
        ("s3://b/a%20b", "s3", "b", "a b"),
        ("s3://b/é", "s3", "b", "é"),
        ("s3://b/k?x=1", "s3", "b", "k"),
        ("s3://b/k#f", "s3", "b", "k"),
        ("s3://b/a%3Fb%23c%25d", "s3", "b", "a?b#c%d"),
        ("s3://u:p@b/k", "s3", "b", "k"),
        ("abfs://c@acct.dfs.core.windows.net/k", "abfs", "c", "k"),
        ("abfss://c@acct.dfs.core.windows.net/k", "abfss", "c", "k"),
        ("abfs://c/k", "abfs", "c", "k"),
        ("file:///tmp/x", "file", "", "tmp/x"),
        ("file:/tmp/x", "file", "", "tmp/x"),
        ("file://c/x", "file", "c", "x"),
        ("/tmp/x", "", "", "tmp/x"),
        ("tmp/x", "", "", "tmp/x"),
        ("redis://h:6379/k", "redis", "h:6379", "k"),
        ("s3:b/k", "s3", "", ""),
    ] {
        let expected = (scheme.to_owned(), container.to_owned(), key.to_owned());
        assert_eq!(parsed(text), expected, "{text}");
    }
}

#[test]
fn refuses_with_the_rule() {
    for (text, rule) in [
        ("s3://b/100%", "hexadecimal"),
        ("s3://b/%f", "hexadecimal"),
        ("s3://b/%zz", "hexadecimal"),
        ("s3://b/%ff", "UTF-8"),
        ("s3://b/a\nb", "control character"),
        ("1:b.txt", "colon"),
        (":b", "before the colon"),
        ("s3://a b/k", "container name"),
        ("s3://a%20b/k", "container name"),
    ] {
        let message = Reference::parse(text).unwrap_err().to_string();
        assert!(message.contains(rule), "{text}: {message}");
    }
}

/// The table of spec §6.2, where the reference's answer names the right object, and ours where not.
#[test]
fn joins_as_the_reference_where_that_is_right() {
    for (base, names, text) in [
        ("s3://b/p", vec!["x"], "s3://b/p/x"),
        ("s3://b/p/", vec!["/x/"], "s3://b/p/x"),
        ("S3://b/p", vec!["x"], "s3://b/p/x"),
        ("s3://b/p", vec!["a", "b c", "d"], "s3://b/p/a/b%20c/d"),
        ("s3://b", vec!["x"], "s3://b/x"),
        ("output", vec!["errors.pb"], "/output/errors.pb"),
        ("file:/tmp/x", vec!["y"], "file:///tmp/x/y"),
        ("s3://b/p/../q", vec!["x"], "s3://b/q/x"),
        ("s3://b/p%20q", vec!["x"], "s3://b/p%20q/x"),
        ("s3://b/p q", vec!["x"], "s3://b/p%20q/x"),
        ("s3://b//p", vec!["x"], "s3://b//p/x"),
        (
            "abfs://c@acct.dfs.core.windows.net/p",
            vec!["x"],
            "abfs://c@acct.dfs.core.windows.net/p/x",
        ),
        ("s3://b/p", vec!["é.txt"], "s3://b/p/%C3%A9.txt"),
        ("s3://b/p", vec!["a'b(c)"], "s3://b/p/a'b(c)"),
        (
            "s3://b/p",
            vec!["a'b(c)[d]{e}"],
            "s3://b/p/a%27b%28c%29%5Bd%5D%7Be%7D",
        ),
        // Ours: the reference takes these for URL syntax (spec §4.8) or loses `p`.
        ("s3://b/p?q=1", vec!["x"], "s3://b/p/x"),
        ("s3://b/p#f", vec!["x"], "s3://b/p/x"),
        ("s3://b/p", vec!["a?b#c"], "s3://b/p/a%3Fb%23c"),
        ("s3://b/p", vec!["100%.txt"], "s3://b/p/100%25.txt"),
        ("s3://b/p", vec!["a%41.txt"], "s3://b/p/a%2541.txt"),
        ("s3://b/p", vec!["a:b.txt"], "s3://b/p/a:b.txt"),
        ("s3://b/p", vec!["http://evil/x"], "s3://b/p/http://evil/x"),
        ("s3://b/p", vec!["a\nb"], "s3://b/p/a%0Ab"),
        // Two slashes at the beginning would be an authority's.
        ("/.//./b", vec!["x"], "////b/x"),
    ] {
        let joined = Reference::parse(base).and_then(|base| base.join(&names));
        let joined = joined.unwrap();
        assert_eq!(joined.to_string(), text, "{base} + {names:?}");
        let again = Reference::parse(text).unwrap();
        assert_eq!(again.key(), joined.key(), "{base} + {names:?}");
    }
}

#[test]
fn names_that_climb_or_vanish_are_refused() {
    let base = Reference::parse("s3://b/p").unwrap();
    for name in ["", "/", ".", "..", "../x", "a/../b", "a/."] {
        let message = base.join(&[name]).unwrap_err().to_string();
        assert!(message.contains("s3://b/p"), "{name}: {message}");
    }
    assert!(Reference::parse("s3:b/k").unwrap().join(&["x"]).is_err());
}

#[test]
fn a_listed_key_gets_a_reference_that_reads_back() {
    let base = Reference::parse("s3://b/some/prefix").unwrap();
    for key in ["a b", "x?y", "100%", "d/e:f", "é"] {
        let reference = base.at_key(key);
        assert_eq!(reference.key(), key);
        let again = Reference::parse(&reference.to_string()).unwrap();
        assert_eq!((again.container(), again.key()), ("b", key));
    }
}

#[test]
fn messages_hide_secrets() {
    let shown = |text: &str| Reference::parse(text).unwrap().shown();
    assert_eq!(shown("s3://u:secret@b/k"), "s3://u:…@b/k");
    assert_eq!(shown("https://h/f?sig=secret"), "https://h/f?…");
    let long = shown(&format!("s3://b/{}", "é".repeat(1 << 20)));
    assert!(long.starts_with("s3://b/é") && long.ends_with("… (2097159 bytes)"));
    assert!(long.len() < 300, "{}", long.len());
    let error = Reference::parse("s3://u:secret@b/100%").unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

proptest! {
    /// Whatever a file system allows comes back as the end of the key.
    #[test]
    fn a_joined_name_comes_back(names in prop::collection::vec("[^/\0]{1,12}", 1..4)) {
        prop_assume!(names.iter().all(|name| name != "." && name != ".."));
        let base = Reference::parse("s3://b/some/prefix").unwrap();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let text = base.join(&names).unwrap().to_string();
        let again = Reference::parse(&text).unwrap();
        prop_assert_eq!(again.container(), "b");
        prop_assert_eq!(again.key(), format!("some/prefix/{}", names.join("/")));
    }

    /// No text makes the reader panic, and a reference reads back to itself.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|(s3|file|abfs|)(:|)(/|//|///)[a-z%0-9@?#/. ]{0,20}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
            let _ = reference.join(&["x"]);
            let _ = reference.at_key(&text);
        }
    }
}
