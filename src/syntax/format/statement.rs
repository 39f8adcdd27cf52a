//! Statements of functions, experiments and step programs.

use super::doc::{Doc, docs, join};
use super::expression::{axis_name, quoted, type_of};
use super::item::documented;
use super::{Formatter, names};
use crate::syntax::ast::{
    AxisName, Expr, Name, Objective, PartSize, QuickSetting, ReportKind, ReportLine, Split, Statement,
    StatementKind, Train, VaryOver,
};

impl Formatter<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Doc {
        docs![
            documented(&statement.docs),
            self.statement_kind(&statement.kind, statement.span.start as usize)
        ]
    }

    fn statement_kind(&mut self, kind: &StatementKind, start: usize) -> Doc {
        match kind {
            StatementKind::Axis(axes) => self.axes(axes),
            StatementKind::Let(value) => self.let_statement(value),
            StatementKind::Assign { name, value } => docs![name.text.as_str(), self.after_sign(" :=", value)],
            StatementKind::Assert { condition } => docs!["assert ", self.expression(condition)],
            StatementKind::Yield(value) => docs!["yield ", self.expression(value)],
            StatementKind::If { condition, then, otherwise } => {
                self.if_statement(condition, then, otherwise.as_deref())
            }
            StatementKind::Expression(value) => self.expression(value),
            StatementKind::Data(data) => self.data(data),
            StatementKind::Param(param) => self.param(param),
            StatementKind::Vary { name, over } => self.vary(name, over),
            StatementKind::Split(split) => self.split(split),
            StatementKind::Train(train) => self.train(train, start),
            StatementKind::On { data, body } => {
                let end = data.last().map_or(start, |axis| axis.span.end as usize);
                docs!["on ", axis_names(data), " ", self.body(body, end)]
            }
            StatementKind::Measure { name, value } => {
                docs!["measure ", name.text.as_str(), self.after_sign(" =", value)]
            }
            StatementKind::Claim { text, condition } => {
                let value = self.expression(condition);
                let before = &self.text[..condition.span.start as usize];
                let own_line = before[before.trim_end().len()..].contains('\n');
                let condition = docs![":", docs![Doc::Line, value].indent()];
                docs![
                    "claim ",
                    quoted(&text.text),
                    if own_line { condition.broken_group() } else { condition.group() }
                ]
            }
            StatementKind::Report(lines) => self.report(lines, start + "report".len()),
            StatementKind::Snapshot { values, within } => {
                let shown = values.iter().map(|value| self.expression(value)).collect();
                let mut parts = vec![docs!["snapshot ", join(shown, &Doc::text(", "))]];
                parts.extend(within.as_ref().map(|within| docs![" within ", self.expression(within)]));
                Doc::Many(parts)
            }
            StatementKind::Quick(settings) => {
                let setting = |setting: &QuickSetting| {
                    docs![setting.name.text.as_str(), " = ", self.expression(&setting.value)]
                };
                docs!["quick ", join(settings.iter().map(setting).collect(), &Doc::text(", "))]
            }
            StatementKind::Repeat { axis, count, body } => {
                let axis = axis.as_ref().map_or(String::new(), |axis| format!("{} = ", axis.text));
                docs!["repeat ", axis, self.expression(count), " ", self.body(body, count.span.end as usize)]
            }
            StatementKind::Setting { name, value } => docs![name.text.as_str(), " ", self.expression(value)],
            StatementKind::Batch { size, axis, sampling } => {
                let mut parts = vec![docs!["batch ", self.expression(size)]];
                parts.extend(axis.as_ref().map(|axis| docs![" over ", axis_name(axis)]));
                for clause in sampling {
                    parts.extend(clause.words.iter().map(|word| Doc::text(format!(" {}", word.text))));
                    if let Some(value) = &clause.value {
                        parts.push(docs![" ", self.expression(value)]);
                    }
                    for key in &clause.further {
                        parts.push(docs![", ", self.expression(key)]);
                    }
                    if let Some(each) = &clause.each {
                        parts.push(docs![", ", self.expression(each), " each"]);
                    }
                }
                Doc::Many(parts)
            }
            StatementKind::Epochs(count) => docs!["epochs ", self.expression(count)],
            StatementKind::Steps(count) => docs!["steps ", self.expression(count)],
            StatementKind::State(state) => {
                let ty = state.ty.as_ref().map_or(Doc::Many(Vec::new()), |ty| docs![": ", type_of(ty)]);
                docs!["state ", names(&state.names), ty, self.after_sign(" =", &state.value)]
            }
            StatementKind::Objective(objective) => self.objective(objective),
            StatementKind::Every { count, axis, body } => {
                let end = axis.as_ref().map_or(count.span.end, |axis| axis.span.end);
                let axis = axis.as_ref().map_or(String::new(), |axis| format!(" as {}", axis.text));
                docs!["every ", self.expression(count), axis, " ", self.body(body, end as usize)]
            }
            StatementKind::Record { name, value } => {
                docs!["record ", name.text.as_str(), self.after_sign(" =", value)]
            }
            StatementKind::Stop(condition) => docs!["stop when ", self.expression(condition)],
            StatementKind::Keep { highest, name } => {
                docs!["keep ", if *highest { "highest " } else { "lowest " }, name.text.as_str()]
            }
        }
    }

    /// Statements in braces; `header_end` is where the head before the brace ends.
    pub(super) fn body(&mut self, body: &[Statement], header_end: usize) -> Doc {
        let lines: Vec<_> = body.iter().map(|statement| (statement.span, statement)).collect();
        self.braced(lines, header_end, true, |formatter, statement| formatter.statement(statement))
    }

    fn if_statement(&mut self, condition: &Expr, then: &[Statement], otherwise: Option<&[Statement]>) -> Doc {
        let mut parts =
            vec![docs!["if ", self.expression(condition), " ", self.body(then, condition.span.end as usize)]];
        let mut end = self.end_of_body(then, condition.span.end as usize);
        let mut otherwise = otherwise;
        loop {
            match otherwise {
                None => break,
                // The span of an `else if` begins with its `else`; an `if` in braces begins with `if`.
                Some(
                    [
                        Statement {
                            kind: StatementKind::If { condition, then, otherwise: last }, span, ..
                        },
                    ],
                ) if self.text[span.start as usize..].starts_with("else") => {
                    parts.push(docs![
                        " else if ",
                        self.expression(condition),
                        " ",
                        self.body(then, condition.span.end as usize)
                    ]);
                    end = self.end_of_body(then, condition.span.end as usize);
                    otherwise = last.as_deref();
                }
                Some(body) => {
                    let word = self.skip(end) + "else".len();
                    parts.push(docs![" else ", self.body(body, word)]);
                    break;
                }
            }
        }
        Doc::Many(parts)
    }

    /// The place behind the closing brace of a body.
    fn end_of_body(&self, body: &[Statement], header_end: usize) -> usize {
        match body.last() {
            Some(last) => self.skip(last.span.end as usize) + 1,
            None => self.skip(self.skip(header_end) + 1) + 1,
        }
    }

    fn vary(&mut self, name: &Name, over: &VaryOver) -> Doc {
        let head = docs!["vary ", name.text.as_str(), " = "];
        match over {
            VaryOver::Values(values) => docs![head, self.expression(values)],
            VaryOver::Arms(arms) => {
                let end = arms.first().map_or(name.span.end as usize, |arm| arm.span.start as usize);
                let arms = arms.iter().map(|arm| (arm.span, arm)).collect();
                docs![head, self.braced(arms, end, false, |_, arm| Doc::text(&arm.text))]
            }
        }
    }

    fn split(&mut self, split: &Split) -> Doc {
        let mut parts = vec![docs!["split ", split.data.text.as_str()]];
        if !split.by.is_empty() {
            parts.push(docs![" by ", names(&split.by)]);
        }
        if !split.stratified.is_empty() {
            parts.push(docs![" stratified by ", names(&split.stratified)]);
        }
        if let Some(seed) = &split.seed {
            parts.push(docs![" seed ", self.expression(seed)]);
        }
        let into = split
            .parts
            .iter()
            .map(|part| match &part.size {
                Some(PartSize::Percent(percent)) => {
                    docs![part.name.text.as_str(), " ", self.expression(percent), "%"]
                }
                Some(PartSize::Count(count)) => docs![part.name.text.as_str(), " ", self.expression(count)],
                Some(PartSize::Fold(fold)) => {
                    docs![part.name.text.as_str(), " fold ", fold.text.as_str()]
                }
                Some(PartSize::Where(mask)) => {
                    docs![part.name.text.as_str(), " where ", self.expression(mask)]
                }
                None => Doc::text(&part.name.text),
            })
            .collect();
        parts.push(docs![Doc::Line, "into ", join(into, &Doc::text(", "))].indent());
        Doc::Many(parts).group()
    }

    fn train(&mut self, train: &Train, start: usize) -> Doc {
        let mut head = "train ".to_owned();
        let mut end = start + "train".len();
        if train.stream {
            head.push_str("stream ");
            end = self.skip(end) + "stream".len();
        }
        let data = match train.data.last() {
            Some(last) => {
                end = last.span.end as usize;
                docs!["on ", axis_names(&train.data), " "]
            }
            None => Doc::Many(Vec::new()),
        };
        docs![head, data, self.body(&train.body, end)]
    }

    fn report(&mut self, lines: &[ReportLine], header_end: usize) -> Doc {
        let lines: Vec<_> = lines.iter().map(|line| (line.span, line)).collect();
        let body = self.braced(lines, header_end, true, |formatter, line| {
            let kind = match &line.kind {
                ReportKind::Text(text) => docs!["text ", quoted(&text.text)],
                ReportKind::Table { values, by } => docs!["table ", formatter.several(values), by_names(by)],
                ReportKind::Plot { values, over, by } => {
                    let over = over.as_ref().map_or(String::new(), |over| format!(" over {}", over.text));
                    docs!["plot ", formatter.several(values), over, by_names(by)]
                }
            };
            docs![documented(&line.docs), kind]
        });
        docs!["report ", body]
    }

    fn several(&mut self, values: &[Expr]) -> Doc {
        join(values.iter().map(|value| self.expression(value)).collect(), &Doc::text(", "))
    }

    fn objective(&mut self, objective: &Objective) -> Doc {
        let word = if objective.maximize { "maximize " } else { "minimize " };
        let value = if objective.named {
            let width = |name: &Option<Name>| name.as_ref().map_or(0, |name| name.text.chars().count());
            let widest = objective.terms.iter().map(|term| width(&term.name)).max().unwrap_or(0);
            let terms: Vec<_> = objective.terms.iter().map(|term| (term.span, term)).collect();
            let start = objective.span.start as usize + word.len() - 1;
            self.braced(terms, start, false, |formatter, term| {
                let name = term.name.as_ref().map_or("", |name| name.text.as_str());
                let pad = " ".repeat(widest - width(&term.name));
                let over = match term.over.is_empty() {
                    true => Doc::Many(Vec::new()),
                    false => docs![" over ", formatter.several(&term.over)],
                };
                docs![name, ": ", Doc::Broken(pad), formatter.expression(&term.value), over]
            })
        } else {
            self.several(&objective.terms.iter().map(|term| term.value.clone()).collect::<Vec<_>>())
        };
        docs![word, value, self.clauses(objective)]
    }

    /// The clauses in their one order, all on the line of the value or each on its own.
    fn clauses(&mut self, objective: &Objective) -> Doc {
        let mut parts: Vec<Doc> = Vec::new();
        // Behind the brace of the terms stands what combines them.
        let mut combiner_doc = Doc::Many(Vec::new());
        if let Some(combiner) = &objective.combiner {
            let doc = docs!["by ", self.expression(combiner)];
            let doc = self.clause(doc, combiner, objective);
            if objective.named {
                combiner_doc = docs![" ", doc];
            } else {
                parts.push(doc);
            }
        }
        for constraint in &objective.constraints {
            let mut doc = docs!["subject to ", self.expression(&constraint.condition)];
            let mut last = &constraint.condition;
            if let Some(method) = &constraint.method {
                doc = docs![doc, " by ", self.expression(method)];
                last = method;
            }
            parts.push(self.clause(doc, last, objective));
        }
        if let Some(last) = objective.over.last() {
            let doc = docs!["over ", self.several(&objective.over)];
            parts.push(self.clause(doc, last, objective));
        }
        if let Some(with) = &objective.with {
            let doc = docs!["with ", self.expression(with)];
            parts.push(self.clause(doc, with, objective));
        }
        if let Some(steps) = &objective.steps {
            // `steps` on a line of its own would be a statement.
            let doc = docs!["steps ", self.expression(steps)];
            let doc = self.clause(doc, steps, objective);
            match parts.pop() {
                Some(before) => parts.push(docs![before, " ", doc]),
                None => return docs![combiner_doc, " ", doc, self.project(objective)].group(),
            }
        }
        let mut lines: Vec<Doc> = parts.into_iter().flat_map(|part| [Doc::Line, part]).collect();
        lines.push(self.project(objective));
        docs![combiner_doc, Doc::Many(lines).indent()].group()
    }

    fn project(&mut self, objective: &Objective) -> Doc {
        match &objective.project {
            Some(project) => {
                let doc = docs![Doc::Line, "project ", self.expression(project)];
                self.clause(doc, project, objective)
            }
            None => Doc::Many(Vec::new()),
        }
    }

    /// A clause with the comments that stand behind it on its line, unless it is the last of the statement.
    fn clause(&mut self, doc: Doc, last: &Expr, objective: &Objective) -> Doc {
        if last.span.end >= objective.span.end {
            return doc;
        }
        let mut end = last.span.end as usize;
        let comments = self.trailing(&mut end);
        if comments.is_empty() { doc } else { docs![doc, comments] }
    }
}

pub(super) fn axis_names(axes: &[AxisName]) -> Doc {
    join(axes.iter().map(axis_name).collect(), &Doc::text(", "))
}

fn by_names(by: &[Name]) -> Doc {
    if by.is_empty() { Doc::Many(Vec::new()) } else { docs![" by ", names(by)] }
}
