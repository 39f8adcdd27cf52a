//! What was tested as JUnit XML, for the machines that run tests.
//!
//! In: the cases. Out: a suite for each file with a case for each `test` block and snapshot; `failure` where the outcome is
//! another, `error` where there is none, `skipped` where a snapshot is to be reviewed first.

use std::io::Result;
use std::path::Path;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::case::{Case, Outcome};
use crate::store;

pub fn write(target: &Path, cases: &[Case]) -> std::result::Result<(), String> {
    document(cases)
        .and_then(|text| store::write(target, &text))
        .map_err(|error| format!("the outcome cannot be written to {}: {error}", target.display()))
}

fn document(cases: &[Case]) -> Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = counts(cases);
    writer
        .create_element("testsuites")
        .with_attribute(("name", "ansatz test"))
        .with_attributes(counts.iter().map(|(name, value)| (*name, value.as_str())))
        .write_inner_content(|writer| {
            cases.chunk_by(|a, b| a.file == b.file).try_for_each(|cases| suite(writer, cases))
        })?;
    let mut text = writer.into_inner();
    text.push(b'\n');
    Ok(text)
}

fn suite(writer: &mut Writer<Vec<u8>>, cases: &[Case]) -> Result<()> {
    let counts = counts(cases);
    writer
        .create_element("testsuite")
        .with_attribute(("name", &*plain(&cases[0].file)))
        .with_attributes(counts.iter().map(|(name, value)| (*name, value.as_str())))
        .write_inner_content(|writer| cases.iter().try_for_each(|each| case(writer, each)))?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, case: &Case) -> Result<()> {
    let name = if case.snapshot { format!("snapshot of {}", case.name) } else { case.name.clone() };
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", &*plain(&name)))
        .with_attribute(("classname", &*plain(&case.file)))
        .with_attribute(("time", &*seconds(case.seconds)));
    let (tag, message, text) = match &case.outcome {
        Outcome::Passed | Outcome::Accepted => {
            element.write_empty()?;
            return Ok(());
        }
        Outcome::New(place) => ("skipped", "there is no snapshot yet", place),
        Outcome::Failed(text) if case.snapshot => {
            ("failure", "the results are not those of the snapshot", text)
        }
        Outcome::Failed(text) => ("failure", "the test fails", text),
        Outcome::Error(text, _) => ("error", "it could not be tested", text),
    };
    element.write_inner_content(|writer| {
        let reason = writer.create_element(tag).with_attribute(("message", message));
        reason.write_text_content(BytesText::new(&plain(text)))?;
        Ok(())
    })?;
    Ok(())
}

fn counts(cases: &[Case]) -> [(&'static str, String); 5] {
    let count =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count().to_string();
    [
        ("tests", cases.len().to_string()),
        ("failures", count(|outcome| matches!(outcome, Outcome::Failed(_)))),
        ("errors", count(|outcome| matches!(outcome, Outcome::Error(..)))),
        ("skipped", count(|outcome| matches!(outcome, Outcome::New(_)))),
        ("time", seconds(cases.iter().map(|case| case.seconds).sum())),
    ]
}

fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// Without the characters that no XML may hold.
fn plain(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(allowed).filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}
