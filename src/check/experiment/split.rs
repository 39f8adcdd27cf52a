//! `split`: the parts of a data set, each with an axis of its own.

use crate::check::program::{AxisKind, Definition, Element};
use crate::check::state::{Checker, PartInfo};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, Name, PartSize, Split};

impl Checker<'_> {
    pub fn split(&mut self, split: &Split, span: Span) {
        let (_, mut trace) = self.traced(|c| {
            if let Some(seed) = &split.seed {
                c.static_number(seed, "the seed of a split");
            }
            for part in &split.parts {
                match &part.size {
                    Some(PartSize::Percent(size) | PartSize::Count(size)) => {
                        c.static_number(size, "the size of a part");
                    }
                    Some(PartSize::Fold(fold)) => c.fold(fold),
                    Some(PartSize::Where(mask)) => c.part_mask(&split.data, mask),
                    None => {}
                }
            }
        });
        // Which rows a part has is no number of theirs.
        trace.whole.clear();
        trace.fitted.clear();
        // Without a seed of its own, each trial splits anew.
        if split.seed.is_none() {
            trace.varies.extend(self.trial.counts.clone());
        }
        let Some(info) = self.data.get(&split.data.text).cloned() else {
            let _: Option<()> = self.unknown_part(&split.data.text, split.data.span, "", split.data.span);
            return;
        };
        if let Some(of_rows) = self.traces.get(&self.program.axis(info.rows).span) {
            trace.varies.extend(&of_rows.varies);
        }
        match self.find_item(&split.data.text) {
            Some(item) if self.find_local(&split.data.text).is_none() => {
                self.program.names.insert(split.data.span, Definition::Item(item));
            }
            _ => {
                self.program.names.insert(split.data.span, Definition::Local(info.span));
            }
        }
        for key in split.by.iter().chain(&split.stratified) {
            self.split_key(key, &info);
        }
        self.split_sizes(split, span);
        let mut parts: Vec<PartInfo> = Vec::new();
        for part in &split.parts {
            if let Some(first) = parts.iter().find(|known| known.name == part.name.text) {
                let first = first.span;
                self.defined_twice(&part.name, first);
                continue;
            }
            let rows = self.axis_name(info.rows);
            let kind = AxisKind::Part { rows: info.rows, part: part.name.text.clone() };
            let axis = self.new_axis(format!("{rows}.{}", part.name.text), kind, part.name.span);
            self.program.axes_at.insert(part.name.span, axis);
            self.traces.insert(part.name.span, trace.clone());
            parts.push(PartInfo { name: part.name.text.clone(), axis, span: part.name.span });
        }
        if let Some(first) =
            self.trial.parts.insert(info.name.clone(), parts).and_then(|parts| parts.first().cloned())
        {
            self.defined_twice(&split.data, first.span);
        }
    }

    /// `test fold Fold`
    fn fold(&mut self, fold: &Name) {
        match self.find_axis(&fold.text).filter(|axis| self.trial.folds.contains(axis)) {
            Some(axis) => {
                self.program.axes_at.insert(fold.span, axis);
                self.program.names.insert(fold.span, Definition::Axis(axis));
                self.context.trace.varies.insert(axis);
            }
            None => self.report(
                Diagnostic::error(Code::A0346, fold.span, format!("`{}` is no axis of folds", fold.text))
                    .label("no folds")
                    .help(format!(
                        "declare it: `vary {0} = kfold(5)`, or `vary {0} = groups(d.site)` to leave one group out",
                        fold.text
                    )),
            ),
        }
    }

    /// `bought where mask`: the columns of the data set are in scope, over all its rows.
    fn part_mask(&mut self, data: &Name, mask: &crate::syntax::ast::Expr) {
        let Some(info) = self.data.get(&data.text).cloned() else { return };
        let before = self.trial.rows.len();
        let axes = self.scoped(|c| {
            c.enter_rows(&info.name, info.rows, info.rows);
            c.truths(mask)
        });
        self.trial.rows.truncate(before);
        let rows = [info.rows].into();
        if let Some(axes) = axes.filter(|axes| *axes != rows) {
            let (has, wanted) = (self.axes_in_words(&axes), self.axis_name(info.rows));
            self.report(
                Diagnostic::error(Code::A0206, mask.span, "a part takes the rows where a condition holds")
                    .label(format!("this has {has}"))
                    .help(format!("it is one truth value for each `{wanted}`")),
            );
        }
    }

    fn split_key(&mut self, key: &Name, info: &crate::check::state::DataInfo) {
        let Some(column) = info.columns.iter().find(|column| column.name == key.text) else {
            let names: Vec<&str> = info.columns.iter().map(|column| column.name.as_str()).collect();
            let help = match nearest(&key.text, names.iter().copied()) {
                Some(near) => Help::meant(key.span, near),
                None => format!("its columns are {}", names.join(", ")).into(),
            };
            self.report(
                Diagnostic::error(
                    Code::A0105,
                    key.span,
                    format!("`{}` has no column `{}`", info.name, key.text),
                )
                .label("unknown column")
                .related(info.span, format!("`{}` is declared here", info.name))
                .help(help),
            );
            return;
        };
        self.program
            .names
            .insert(key.span, Definition::Column { data: info.name.clone(), column: key.text.clone() });
        if column.element == Element::Float || !column.axes.is_empty() {
            self.report(
                Diagnostic::error(
                    Code::A0206,
                    key.span,
                    format!("`{}` cannot group rows: it is no category", key.text),
                )
                .label("not one category a row")
                .related(column.span, "the column is declared here")
                .help("split by a column of a category or a Bool"),
            );
        }
    }

    fn split_sizes(&mut self, split: &Split, span: Span) {
        let percents: Vec<f64> = split
            .parts
            .iter()
            .filter_map(|part| match &part.size {
                Some(PartSize::Percent(size)) => match &size.kind {
                    ExprKind::Number { value, .. } => Some(*value),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let total: f64 = percents.iter().sum();
        if total > 100.0 + 1e-9 {
            self.report(
                Diagnostic::error(
                    Code::A0324,
                    span,
                    format!("the parts make {total}% of `{}`", split.data.text),
                )
                .label("more than there is")
                .related(split.parts[0].name.span, "the first part")
                .help("the percentages of a split sum to at most 100; a part without a size takes the rest"),
            );
        }
        let open: Vec<&Name> =
            split.parts.iter().filter(|part| part.size.is_none()).map(|part| &part.name).collect();
        if let [first, second, ..] = open.as_slice() {
            self.report(
                Diagnostic::error(Code::A0324, second.span, "two parts without a size")
                    .label("the second one")
                    .related(first.span, "the first one")
                    .help(format!("only one part can take the rest: give a size, `{} 20%`", second.text)),
            );
        }
    }
}
