//! How the page looks. Its colours are variables, so a test computes the contrast of each text in both themes.

/// The style sheet. A bar is a border: browsers print borders, and keep them where a person has chosen the colours
/// (`forced-colors`), and they drop backgrounds there.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#ffffff;--card:#f3f5f8;--alarm:#fdeceb;\
--ink:#1b1d21;--quiet:#565b64;--bad:#a3211a;--good:#1a6239;--line:#c8cdd5;--bar:#2563b8}\
@media (prefers-color-scheme:dark){:root{--paper:#15171b;--card:#1f2329;--alarm:#3a1f1e;\
--ink:#e7e9ec;--quiet:#a8aeb8;--bad:#ff9f96;--good:#84d7a7;--line:#3d434d;--bar:#7aaef5}}\
*{box-sizing:border-box}\
body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;margin:0;\
overflow-wrap:anywhere}\
main{margin:0 auto;max-width:46rem;padding:1.5rem 1rem 3rem}\
h1{font-size:1.5rem;line-height:1.25;margin:0}\
h2{font-size:1.05rem;margin:2rem 0 .5rem}\
p{margin:.4rem 0 0}\
.quiet,.time,dt,summary{color:var(--quiet)}\
.time,dd{font-variant-numeric:tabular-nums}\
header{background:var(--card);border-left:.4rem solid var(--good);padding:.9rem 1rem 1rem}\
header .quiet{font-size:.9rem;margin:0 0 .2rem}\
header p:last-child{margin-top:.4rem}\
.done h1{color:var(--good)}\
header.failed{background:var(--alarm);border-left-style:double;border-left-color:var(--bad)}\
.failed h1,.failed b{color:var(--bad)}\
ol,ul{list-style:none;margin:0;padding:0}\
.events li{display:grid;gap:0 1rem;grid-template-columns:5.5rem 1fr;padding:.3rem 0}\
.events .time{text-align:right;white-space:nowrap}\
.bars li{display:grid;gap:0 1rem;grid-template-columns:1fr auto;padding:.4rem 0}\
.track{border-bottom:1px solid var(--line);grid-column:1/-1;margin-top:.15rem}\
.bar{border-top:.65rem solid var(--bar);min-width:3px}\
.bar.failed{border-top-style:double;border-top-color:var(--bad)}\
dl{display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;margin:0}\
dt,dd{border-bottom:1px solid var(--line);margin:0;padding:.35rem 1rem .35rem 0}\
details{margin-top:1.5rem}summary{cursor:pointer}\
pre{background:var(--card);font-size:.85rem;margin:.5rem 0 0;padding:.75rem;white-space:pre-wrap}\
@media (max-width:30rem){.events li{grid-template-columns:4.75rem 1fr}dl{grid-template-columns:1fr}\
dt{border:0;padding-bottom:0}dd{padding-top:0}}\
@media print{main{max-width:none;padding:0}h2{break-after:avoid}li,dt,dd{break-inside:avoid}}";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::STYLE;

    /// The variables in a block of declarations that are colours, as red, green and blue of 0 to 255.
    fn colours(block: &str) -> BTreeMap<&str, [u8; 3]> {
        let declarations = block.split(';').filter_map(|it| it.split_once(":#"));
        let byte = |text: &str, at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        declarations
            .map(|(name, colour)| {
                assert_eq!(colour.len(), 6, "{name}: six digits");
                (name, [byte(colour, 0), byte(colour, 2), byte(colour, 4)])
            })
            .collect()
    }

    /// The colours of a theme, by the name of their variable.
    fn theme(begin: &str) -> BTreeMap<&'static str, [u8; 3]> {
        let (_, rest) = STYLE.split_once(begin).unwrap();
        let (block, _) = rest.split_once('}').unwrap();
        colours(block)
    }

    /// The variables that a property has somewhere.
    fn used(property: &str) -> Vec<&'static str> {
        let mut found = Vec::new();
        for (at, _) in STYLE.match_indices(property) {
            let before = STYLE[..at].chars().next_back().unwrap();
            if matches!(before, '{' | ';') {
                let value = &STYLE[at + property.len()..];
                let value = value.split([';', '}']).next().unwrap();
                let name = value
                    .strip_prefix("var(")
                    .and_then(|value| value.strip_suffix(')'));
                found.push(name.unwrap_or_else(|| panic!("{property}{value}: not a variable")));
            }
        }
        found
    }

    /// The relative luminance of a colour (WCAG 2.2, "relative luminance").
    fn luminance(colour: [u8; 3]) -> f64 {
        let linear = colour.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    /// The contrast of two colours (WCAG 2.2, "contrast ratio").
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn the_contrast_is_computed_as_the_standard_says() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([0x77; 3], [255; 3]) - 4.478).abs() < 1e-3);
    }

    /// Every text colour on every background, so no rule can bring together a pair that nobody has checked.
    #[test]
    fn every_text_has_enough_contrast_in_both_themes() {
        let (texts, backgrounds) = (used("color:"), used("background:"));
        assert!(texts.contains(&"--bad") && backgrounds.contains(&"--alarm"));
        let light = theme(":root{");
        let dark = theme("(prefers-color-scheme:dark){:root{");
        assert!(light.keys().eq(dark.keys()), "each theme has each colour");
        assert_ne!(light, dark);
        for theme in [light, dark] {
            for background in &backgrounds {
                for text in &texts {
                    let contrast = contrast(theme[text], theme[background]);
                    assert!(contrast >= 4.5, "{text} on {background}: {contrast:.2}");
                }
            }
            // For what is not text, such as a bar, WCAG 2.2 asks for 3 (1.4.11).
            for bar in ["--bar", "--bad", "--good"] {
                let contrast = contrast(theme[bar], theme["--paper"]);
                assert!(contrast >= 3.0, "{bar}: {contrast:.2}");
            }
        }
    }

    /// Where colours are taken away, a background is gone, and a border stays.
    #[test]
    fn bars_do_not_need_a_background() {
        let bar = STYLE.split(".bar{").nth(1).unwrap();
        let bar = bar.split('}').next().unwrap();
        assert!(
            bar.contains("border-top:") && !bar.contains("background"),
            "{bar}"
        );
    }
}
