//! `quick Seed = 2, rounds = 20`: what `--quick` sets.
//!
//! In: the statements of a checked experiment. Out: the numbers in the program's table, or what is wrong with them. A setting
//! may be what `--set` may be, and may be the new count of a `vary`, too.

use crate::check::program::{Definition, Element, Type};
use crate::check::state::{Checker, LocalKind};
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{
    ArgumentKind, Expr, ExprKind, Name, QuickSetting, Statement, StatementKind, VaryOver,
};

/// What a setting may be.
enum Wanted {
    /// `vary Seed = 5`: another count.
    Count,
    /// `vary Lambda = [0, 1]`: a number, or a list of them.
    Numbers,
    /// `vary Fold = kfold(5)`: one of the folds; how many there are, where the text says so.
    Fold(Option<f64>),
    /// A `let`.
    Number,
}

impl Checker<'_> {
    pub fn quick(&mut self, body: &[Statement]) {
        let mut first: Option<Span> = None;
        for statement in body {
            let StatementKind::Quick(settings) = &statement.kind else { continue };
            if let Some(first) = first {
                self.report(
                    Diagnostic::error(Code::A0338, statement.span, "an experiment has one `quick`")
                        .label("a second one")
                        .related(first, "the first one")
                        .help("write all settings in one line: `quick Seed = 2, rounds = 20`"),
                );
            }
            first = first.or(Some(statement.span));
            for (at, setting) in settings.iter().enumerate() {
                match settings[..at].iter().find(|before| before.name.text == setting.name.text) {
                    Some(before) => self.report(
                        Diagnostic::error(
                            Code::A0338,
                            setting.name.span,
                            format!("`{}` is set twice", setting.name.text),
                        )
                        .label("the second value")
                        .related(before.name.span, "the first one")
                        .help("keep one"),
                    ),
                    None => self.quick_setting(setting, body),
                }
            }
        }
    }

    fn quick_setting(&mut self, setting: &QuickSetting, body: &[Statement]) {
        let name = &setting.name;
        let target = body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Vary { name: known, over } if known.text == name.text => {
                Some(self.quick_vary(name, known.span, over))
            }
            StatementKind::Let(l) => {
                let known = l.names.iter().find(|known| known.text == name.text)?;
                Some(self.quick_let(name, known))
            }
            _ => None,
        });
        match target {
            None => self.nothing_to_quicken(name, body),
            Some(None) => {}
            Some(Some(wanted)) => {
                if let Some(numbers) = self.quick_numbers(name, &setting.value, &wanted) {
                    self.program.quick.insert(name.span, numbers);
                }
            }
        }
    }

    fn quick_vary(&mut self, name: &Name, declared: Span, over: &VaryOver) -> Option<Wanted> {
        if let Some(axis) = self.find_axis(&name.text) {
            self.program.names.insert(name.span, Definition::Axis(axis));
        }
        let named =
            |callee: &Expr, wanted: &str| matches!(&callee.kind, ExprKind::Name(name) if name.text == wanted);
        let message = match over {
            VaryOver::Arms(_) => format!("`{}` has arms: there is no number of it to set", name.text),
            VaryOver::Values(values) => match &values.kind {
                ExprKind::Call(call) if named(&call.callee, "groups") => {
                    format!("`{}` leaves out groups: there is no number of it to set", name.text)
                }
                ExprKind::Call(call) if named(&call.callee, "kfold") => {
                    let count = call.arguments.first().and_then(|argument| match &argument.kind {
                        ArgumentKind::Positional(value) | ArgumentKind::Named { value, .. } => Some(value),
                        ArgumentKind::As { .. } => None,
                    });
                    return Some(Wanted::Fold(count.and_then(|count| self.constant_number(count))));
                }
                ExprKind::List(_) | ExprKind::Call(_) => return Some(Wanted::Numbers),
                _ => return Some(Wanted::Count),
            },
        };
        self.report(
            Diagnostic::error(Code::A0338, name.span, message)
                .label("cannot be set")
                .related(declared, "it is declared here")
                .help("set a number of seeds, the values of a `vary`, or a `let` that is a number"),
        );
        None
    }

    fn quick_let(&mut self, name: &Name, declared: &Name) -> Option<Wanted> {
        self.program.names.insert(name.span, Definition::Local(declared.span));
        let local = self.find_local(&name.text).filter(|local| local.span == declared.span)?;
        let number = matches!(&local.ty, Type::Array { element: Element::Float, axes } if axes.is_empty());
        let (message, label) = match local.kind {
            LocalKind::Result => (
                format!("`{}` is made from what is measured: it cannot be set", name.text),
                "comes after the trials",
            ),
            _ if number || local.ty == Type::Error => return Some(Wanted::Number),
            _ => {
                let shown = self.show(&local.ty);
                (
                    format!("`{}` is {shown}, and only single numbers can be set", name.text),
                    "no single number",
                )
            }
        };
        self.report(
            Diagnostic::error(Code::A0338, name.span, message)
                .label(label)
                .related(declared.span, "it is declared here")
                .help("set a `let` that is a number, such as the length of a training: `let rounds = 1000` and `steps rounds`"),
        );
        None
    }

    fn nothing_to_quicken(&mut self, name: &Name, body: &[Statement]) {
        let known: Vec<&str> = body
            .iter()
            .flat_map(|statement| match &statement.kind {
                StatementKind::Vary { name, .. } => vec![name.text.as_str()],
                StatementKind::Let(l) => l.names.iter().map(|name| name.text.as_str()).collect(),
                _ => Vec::new(),
            })
            .collect();
        let help = match nearest(&name.text, known.iter().copied()) {
            Some(near) => Help::meant(name.span, near),
            None => "name a `vary`, or a `let` of the experiment that is a number: `let rounds = 1000` and `steps rounds`"
                .into(),
        };
        self.report(
            Diagnostic::error(
                Code::A0121,
                name.span,
                format!("`quick {} = ...` names nothing of this experiment", name.text),
            )
            .label("neither a `vary` nor a `let` of it")
            .help(help),
        );
    }

    fn quick_numbers(&mut self, name: &Name, value: &Expr, wanted: &Wanted) -> Option<Vec<f64>> {
        let what = "a quick setting";
        let numbers: Vec<f64> = match (&value.kind, wanted) {
            (ExprKind::List(list), Wanted::Numbers) => {
                let axes = self.find_axis(&name.text).into_iter().collect();
                self.program.types.insert(value.id, array(Element::Float, axes));
                list.iter().map(|value| self.fixed_number(value, what)).collect::<Option<_>>()?
            }
            _ => vec![self.fixed_number(value, what)?],
        };
        let whole = |least: f64| numbers.iter().all(|n| *n >= least && n.fract() == 0.0 && *n <= 1e6);
        let (sound, rule) = match wanted {
            Wanted::Count => (whole(1.0), "a whole number from 1".to_owned()),
            Wanted::Fold(None) => (whole(0.0), "the number of a fold, from 0".to_owned()),
            Wanted::Fold(Some(count)) => {
                let inside = whole(0.0) && numbers.iter().all(|n| n < count);
                (inside, format!("the number of a fold, from 0 to {}", count - 1.0))
            }
            Wanted::Numbers => (!numbers.is_empty(), "at least one number".to_owned()),
            Wanted::Number => (true, String::new()),
        };
        if !sound {
            self.report(
                Diagnostic::error(Code::A0338, value.span, format!("`{}` must be {rule}", name.text))
                    .label("cannot be this")
                    .help(format!("write {rule}")),
            );
        }
        sound.then_some(numbers)
    }
}
