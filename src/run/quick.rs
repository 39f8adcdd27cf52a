//! What `--quick` changes: the experiment's `quick` statement, as far as the command line does not say otherwise.
//!
//! In: the program with the checked numbers, the options. Out: numbers by name, of the `vary` axes and the `let`s apart.

use std::fmt;

use super::Options;
use crate::check::program::Program;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Experiment, ExprKind, StatementKind, VaryOver};

/// The quick settings of a run; none without `--quick`.
#[derive(Clone, Debug, Default)]
pub struct Quick(Vec<Setting>);

#[derive(Clone, Debug)]
struct Setting {
    name: String,
    values: Vec<f64>,
    /// Of a `vary`, not of a `let`.
    axis: bool,
}

impl Quick {
    pub fn new(
        program: &Program,
        experiment: &Experiment,
        options: &Options,
    ) -> Result<Self, Vec<Diagnostic>> {
        if !options.quick {
            return Ok(Quick::default());
        }
        let settings = experiment.body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Quick(settings) => Some(settings),
            _ => None,
        });
        let Some(settings) = settings else {
            let name = &experiment.name;
            return Err(vec![
                Diagnostic::error(
                    Code::A0620,
                    name.span,
                    format!("`{}` does not say what is quick", name.text),
                )
                .label("no `quick` statement in this experiment")
                .help("add one: `quick Seed = 2, rounds = 20`; or say it on the command line: `--seeds 2 --set rounds=20`"),
            ]);
        };
        let said = |name: &str| options.settings.iter().any(|(known, _)| known == name);
        let setting = |setting: &crate::syntax::ast::QuickSetting| {
            let name = &setting.name.text;
            let over = experiment.body.iter().find_map(|statement| match &statement.kind {
                StatementKind::Vary { name: known, over } if known.text == *name => Some(over),
                _ => None,
            });
            let counts = matches!(over, Some(VaryOver::Values(value)) if !matches!(value.kind, ExprKind::List(_) | ExprKind::Call(_)));
            let values = program.quick.get(&setting.name.span)?.clone();
            let overruled = said(name) || (counts && options.seeds.is_some());
            (!overruled).then(|| Setting { name: name.clone(), values, axis: over.is_some() })
        };
        Ok(Quick(settings.iter().filter_map(setting).collect()))
    }

    /// Of the `vary` axis of this name.
    pub fn values(&self, axis: &str) -> Option<&[f64]> {
        self.0.iter().find(|setting| setting.axis && setting.name == axis).map(|setting| &setting.values[..])
    }

    /// The same, where there is one.
    pub fn number(&self, axis: &str) -> Option<f64> {
        self.values(axis)?.first().copied()
    }

    pub fn lets(&self) -> Vec<(String, f64)> {
        let lets = self.0.iter().filter(|setting| !setting.axis);
        lets.filter_map(|setting| Some((setting.name.clone(), *setting.values.first()?))).collect()
    }
}

/// As it may be written in a file: `Seed = 2, Lambda = [0, 1]`.
impl fmt::Display for Quick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, setting) in self.0.iter().enumerate() {
            let values: Vec<String> = setting.values.iter().map(f64::to_string).collect();
            let value = match values.as_slice() {
                [value] => value.clone(),
                _ => format!("[{}]", values.join(", ")),
            };
            write!(f, "{}{} = {value}", if at == 0 { "" } else { ", " }, setting.name)?;
        }
        Ok(())
    }
}
