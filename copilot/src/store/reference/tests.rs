use proptest::prelude::*;

use super::Reference;

/// The keys of a reference, in the order in which a reader asks for them.
fn keys(text: &str) -> Vec<String> {
    let reference = Reference::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let both = [Some(reference.key()), reference.url_key()];
    both.into_iter().flatten().map(str::to_owned).collect()
}

/// The schemes and containers are those of spec §6.1; keys are as they stand.
#[test]
fn reads_scheme_container_and_key() {
    for (text, scheme, container, key) in [
        ("s3://b/k", "s3", "b", "k"),
        ("s3://b/k/", "s3", "b", "k/"),
        ("s3://b//k", "s3", "b", "/k"),
        ("s3://b/a//b", "s3", "b", "a//b"),
        ("s3://b/a/./../b", "s3", "b", "a/./../b"),
        ("S3://b/k", "s3", "b", "k"),
        ("s3://b", "s3", "b", ""),
        ("s3://b/", "s3", "b", ""),
        ("s3://b//", "s3", "b", "/"),
        ("s3://b/ a b ", "s3", "b", " a b "),
        ("s3://b/a+b\n", "s3", "b", "a+b\n"),
        ("s3://b/é", "s3", "b", "é"),
        ("s3://u:p@b/k", "s3", "b", "k"),
        ("s3://b/x@y//z", "s3", "b", "x@y//z"),
        ("abfs://c@acct.dfs.core.windows.net/k", "abfs", "c", "k"),
        ("abfss://c@acct.dfs.core.windows.net//k", "abfss", "c", "/k"),
        ("abfs://c/k", "abfs", "c", "k"),
        ("file:///tmp/x", "file", "", "tmp/x"),
        ("file:/tmp/x", "file", "", "tmp/x"),
        ("file://c/x", "file", "c", "x"),
        ("/tmp/x", "", "", "tmp/x"),
        ("tmp/x", "", "", "tmp/x"),
        ("redis://h:6379/k", "redis", "h:6379", "k"),
        ("s3:b/k", "s3", "", ""),
    ] {
        let reference = Reference::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let found = (reference.scheme(), reference.container(), reference.key());
        assert_eq!(found, (scheme, container, key), "{text}");
        assert_eq!(reference.url_key(), None, "{text}");
    }
}

#[test]
fn a_text_that_urls_read_differently_has_two_keys() {
    for (text, expected) in [
        ("s3://b/a%20b", vec!["a%20b", "a b"]),
        ("s3://b/a%3Fb%23c%25d", vec!["a%3Fb%23c%25d", "a?b#c%d"]),
        ("s3://b//a%41/", vec!["/a%41/", "/aA/"]),
        ("s3://b/k?x=1", vec!["k?x=1", "k"]),
        ("s3://b/a#b.csv", vec!["a#b.csv", "a"]),
        ("s3://b/a?b%20c", vec!["a?b%20c", "a"]),
        // No URL has these.
        ("s3://b/100%", vec!["100%"]),
        ("s3://b/%zz", vec!["%zz"]),
        ("s3://b/%ff", vec!["%ff"]),
        // The whole container is nobody's object.
        ("s3://b/#a", vec!["#a"]),
        ("s3://b/?x", vec!["?x"]),
    ] {
        assert_eq!(keys(text), expected, "{text}");
    }
}

#[test]
fn refuses_with_the_rule() {
    for (text, rule) in [
        ("http://h/a\nb", "control character"),
        ("1:b.txt", "colon"),
        (":b", "before the colon"),
        ("s3://a b/k", "container name"),
        ("s3://a%20b/k", "container name"),
        ("s3://a\nb/k", "container name"),
    ] {
        let message = Reference::parse(text).unwrap_err().to_string();
        assert!(message.contains(rule), "{text}: {message}");
    }
}

#[test]
fn a_prefix_is_read_as_a_url() {
    for (text, read, key) in [
        ("s3://b/p", "s3://b/p", "p"),
        ("s3://b//p/", "s3://b//p/", "/p/"),
        ("s3://b/p q", "s3://b/p q", "p q"),
        ("s3://b/p%20q/%C3%A9", "s3://b/p q/é", "p q/é"),
        ("S3://b", "s3://b/", ""),
    ] {
        let prefix = Reference::prefix(text).unwrap();
        assert_eq!((&*prefix.to_string(), prefix.key()), (read, key), "{text}");
    }
    for (text, rule) in [
        ("s3://b/p?q=1", "different keys"),
        ("s3://b/p#f", "different keys"),
        ("s3://b/a%0Ab", "control character"),
        ("s3://b/p/../q", "`..`"),
        ("s3://b/p/%2E%2e/q", "`..`"),
    ] {
        let message = Reference::prefix(text).unwrap_err().to_string();
        assert!(message.contains(rule), "{text}: {message}");
        assert!(message.contains("Choose another prefix"), "{message}");
    }
    for (text, rule) in [
        ("s3://b/100%", "hexadecimal"),
        ("s3://b/%f", "hexadecimal"),
        ("s3://b/%ff", "UTF-8"),
        ("s3://b/a\nb", "control character"),
    ] {
        for refused in [Reference::prefix(text), Reference::parse_url(text)] {
            let message = refused.unwrap_err().to_string();
            assert!(message.contains(rule), "{text}: {message}");
        }
    }
    for (text, is_portable) in [
        ("s3://b/a b/é", true),
        ("s3://b/100%25", false),
        ("s3://b/a%23b", false),
        ("s3://b/a*", false),
        ("s3://b/a[1]", false),
        ("s3://b/a::b", false),
    ] {
        assert!(Reference::prefix(text).is_ok(), "{text}");
        let read = Reference::data_prefix(text);
        assert_eq!(read.is_ok(), is_portable, "{text}");
    }
}

/// Joining keeps each character.
#[test]
fn joins_as_it_stands() {
    for (base, names, text) in [
        ("s3://b/p", vec!["x"], "s3://b/p/x"),
        ("s3://b/p/", vec!["/x/"], "s3://b/p/x"),
        ("s3://b/p//", vec!["x"], "s3://b/p//x"),
        ("S3://b/p", vec!["x"], "s3://b/p/x"),
        ("s3://b/p", vec!["a", "b c", "d"], "s3://b/p/a/b c/d"),
        ("s3://b", vec!["x"], "s3://b/x"),
        ("output", vec!["errors.pb"], "/output/errors.pb"),
        ("file:/tmp/x", vec!["y"], "file:///tmp/x/y"),
        ("s3://b/p q", vec!["x"], "s3://b/p q/x"),
        ("s3://b//p", vec!["x"], "s3://b//p/x"),
        (
            "abfs://c@acct.dfs.core.windows.net/p",
            vec!["x"],
            "abfs://c@acct.dfs.core.windows.net/p/x",
        ),
        ("s3://b/p", vec!["é.txt"], "s3://b/p/é.txt"),
        ("s3://b/p", vec!["a'b(c)[d]{e}"], "s3://b/p/a'b(c)[d]{e}"),
        ("s3://b/p", vec!["a:b.txt"], "s3://b/p/a:b.txt"),
        ("s3://b/p", vec!["http://evil/x"], "s3://b/p/http://evil/x"),
        // Two slashes at the beginning would be an authority's.
        ("///b", vec!["x"], "/b/x"),
        ("////b", vec!["x"], "////b/x"),
    ] {
        let joined = Reference::parse(base).and_then(|base| base.join(&names));
        let joined = joined.unwrap();
        assert_eq!(joined.to_string(), text, "{base} + {names:?}");
        assert_eq!(keys(text)[0], joined.key(), "{base} + {names:?}");
    }
    for name in ["a?b#c", "100%.txt", "a%41.txt", "a\nb"] {
        let base = Reference::parse("s3://b/p").unwrap();
        let joined = base.join(&[name]).unwrap();
        assert_eq!(joined.key(), format!("p/{name}"));
        assert_eq!(joined.url_key(), None, "{name}");
        assert!(!super::is_portable(name), "{name}");
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
    for key in ["a b", "x?y", "100%", "d/e:f", "é", "/x", "a/", "/", "a//b"] {
        let reference = base.at_key(key);
        assert_eq!((reference.key(), reference.url_key()), (key, None));
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
    assert_eq!(
        shown("s3://b/a\nb\u{2028}\u{85}é"),
        "s3://b/a%0Ab%E2%80%A8%C2%85é"
    );
    let error = Reference::prefix("s3://u:secret@b/100%").unwrap_err();
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

    /// What is portable reads the same as a URL and as it stands.
    #[test]
    fn portable_names_have_one_key(
        // Few names of any characters are portable.
        name in prop_oneof!["[^/\0]{1,12}", "[a-zA-Z0-9 ._~+=é日-]{1,12}", "[a-z@!$&',;()]{1,12}"],
    ) {
        prop_assume!(super::is_portable(&name));
        let text = format!("s3://b/p/{name}");
        prop_assert_eq!(keys(&text), [format!("p/{name}")]);
        let url: reqwest::Url = text.parse().unwrap();
        let path = percent_encoding::percent_decode_str(url.path()).decode_utf8().unwrap();
        // The reader of web addresses resolves dots and drops blanks at the end; Go's does neither.
        if name != "." && name != ".." && !name.ends_with(' ') {
            prop_assert_eq!(path, format!("/p/{name}"));
        }
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
