//! Functions of texts: what a computed column of a data set makes of a text column. Texts never reach the graph.
//!
//! In: a table with the texts read, and the computed columns. Out: the same table, with columns of numbers in place of the
//! texts that were read only for them.

use regex::Regex;
use unicode_script::{Script, UnicodeScript};

use super::table::{Column, SizedAxis, Table};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::tensor::Tensor;
use crate::source::Span;

/// What can stand after `=` of a computed column.
#[derive(Clone, Debug)]
pub enum TextFunction {
    /// The last whole number in the text; where there is none, the number given, or an error.
    LastInteger(Option<f64>),
    /// Whether the pattern is found.
    Matches(Regex),
    /// How often it is found.
    CountMatches(Regex),
    /// The share of letters that belong to a script; 0 of no letters.
    ScriptShare(Script),
    /// Characters.
    Length,
    /// Runs of letters and digits.
    Words,
    /// What stands between blanks.
    Tokens,
    /// How often each run of this many characters occurs, hashed to the positions of an axis of this size.
    Grams { length: usize, axis: String, buckets: usize },
}

/// A column computed from a text.
#[derive(Clone, Debug)]
pub struct Computed {
    /// Its own name: [`Table::texts`] holds the texts under it.
    pub column: String,
    pub function: TextFunction,
    pub span: Span,
}

/// The pattern, or what is wrong with it.
pub fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

/// The script by its name (`Latin`, `Cyrillic`) or its four letters (`Latn`).
pub fn script(name: &str) -> Option<Script> {
    Script::from_full_name(name).or_else(|| Script::from_short_name(name))
}

/// Replaces the texts of computed columns by their values.
pub fn compute(table: &mut Table, computed: &[Computed]) -> Checked<()> {
    let mut problems = Vec::new();
    for wanted in computed {
        let Some(at) = table.texts.iter().position(|texts| texts.name == wanted.column) else { continue };
        let texts = table.texts.remove(at).values;
        match values(&texts, wanted) {
            Ok(tensor) => {
                let mut inner = Vec::new();
                if let TextFunction::Grams { axis, buckets, .. } = &wanted.function {
                    inner.push(axis.clone());
                    if table.group(axis).is_none() {
                        table.groups.push(SizedAxis { name: axis.clone(), size: *buckets });
                    }
                }
                let element = tensor.element();
                let name = wanted.column.clone();
                table.columns.push(Column { name, element, category: None, inner, tensor });
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn values(texts: &[String], wanted: &Computed) -> Result<Tensor, Diagnostic> {
    let numbers = |of: &dyn Fn(&str) -> f64| Tensor::F32(texts.iter().map(|text| of(text) as f32).collect());
    Ok(match &wanted.function {
        TextFunction::LastInteger(otherwise) => {
            let mut found = Vec::with_capacity(texts.len());
            let integers = integers();
            for (row, text) in texts.iter().enumerate() {
                match last_integer(&integers, text).or(*otherwise) {
                    Some(number) => found.push(number as f32),
                    None => {
                        return Err(Diagnostic::error(
                            Code::A0518,
                            wanted.span,
                            format!("there is no whole number in the text of row {row}: \"{}\"", start(text)),
                        )
                        .label("wants a number in every text")
                        .help("say what stands for none: `last_integer(answer) else -1`"));
                    }
                }
            }
            Tensor::F32(found)
        }
        TextFunction::Matches(pattern) => {
            Tensor::Bool(texts.iter().map(|text| u8::from(pattern.is_match(text))).collect())
        }
        TextFunction::CountMatches(pattern) => numbers(&|text| pattern.find_iter(text).count() as f64),
        TextFunction::ScriptShare(script) => numbers(&|text| script_share(text, *script)),
        TextFunction::Length => numbers(&|text| text.chars().count() as f64),
        TextFunction::Words => numbers(&|text| {
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count() as f64
        }),
        TextFunction::Tokens => numbers(&|text| text.split_whitespace().count() as f64),
        TextFunction::Grams { length, buckets, .. } => {
            Tensor::F32(texts.iter().flat_map(|text| grams(text, *length, *buckets)).collect())
        }
    })
}

fn start(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// A sign, digits that may be grouped by commas, and a fraction, which does not count.
fn integers() -> Option<Regex> {
    Regex::new(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?").ok()
}

fn last_integer(integers: &Option<Regex>, text: &str) -> Option<f64> {
    let found = integers.as_ref()?.captures_iter(text).last()?;
    let digits: String = found.get(2)?.as_str().chars().filter(char::is_ascii_digit).collect();
    let size: f64 = digits.parse().ok()?;
    // `3-5` is no minus five.
    let before = text[..found.get(0)?.start()].chars().next_back();
    let is_minus = found.get(1).is_some_and(|sign| !sign.as_str().is_empty())
        && !before.is_some_and(char::is_alphanumeric);
    Some(if is_minus { -size } else { size })
}

fn script_share(text: &str, script: Script) -> f64 {
    let (mut letters, mut inside) = (0u32, 0u32);
    for letter in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        inside += u32::from(letter.script() == script);
    }
    if letters == 0 { 0.0 } else { f64::from(inside) / f64::from(letters) }
}

/// The counts of hashed runs of characters; the hash (FNV-1a of 64 bits) is part of the meaning.
fn grams(text: &str, length: usize, buckets: usize) -> Vec<f32> {
    let mut counts = vec![0.0; buckets];
    let letters: Vec<char> = text.chars().collect();
    if buckets == 0 || length == 0 {
        return counts;
    }
    for gram in letters.windows(length) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in gram.iter().collect::<String>().bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        counts[(hash % buckets as u64) as usize] += 1.0;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_integers() {
        let integers = integers();
        let of = |text: &str| last_integer(&integers, text);
        assert_eq!(of("so 3 + 4 = 7"), Some(7.0));
        assert_eq!(of("#### 1,234"), Some(1234.0));
        assert_eq!(of("it is -12."), Some(-12.0));
        assert_eq!(of("pages 3-5"), Some(5.0));
        assert_eq!(of("18.00 dollars"), Some(18.0));
        assert_eq!(of("none"), None);
    }

    #[test]
    fn scripts_and_grams() {
        let latin = script("Latin").unwrap();
        assert_eq!(script_share("ab вг 12", latin), 0.5);
        assert_eq!(script_share("12 !", latin), 0.0);
        assert!(script("Latn").is_some() && script("Klingon").is_none());
        let counts = grams("aaab", 2, 8);
        assert_eq!(counts.iter().sum::<f32>(), 3.0);
        assert!(counts.contains(&2.0));
        assert_eq!(grams("a", 2, 4), [0.0; 4]);
    }
}
