//! Statements and blocks: of functions, experiments and step programs alike. Which statement may stand where is the
//! checker's business.

use super::{Lower, Pair, Rule, children, error, inner};
use crate::source::Span;
use crate::syntax::ast::{
    AxisName, Block, Clause, Constraint, Expr, ExprKind, Let, Name, Objective, Part, PartSize, QuickSetting,
    ReportKind, ReportLine, Split, State, Statement, StatementKind, Term, Train, VaryOver,
};

impl Lower<'_> {
    /// A block whose last expression is its value.
    pub(super) fn block(&mut self, pair: Pair) -> Block {
        let span = self.span(&pair);
        let mut pairs: Vec<Pair> = inner(pair).collect();
        let last = pairs.pop().map(|last| (self.span(&last), last));
        let mut statements = self.statement_list(pairs);
        let mut value = None;
        if let Some((place, last)) = last {
            if let Some(before) = statements.last() {
                self.require_newline(before.span, place, "statement");
            }
            match self.value_statement(last) {
                Ok(expression) => value = Some(Box::new(expression)),
                Err(statement) => statements.push(*statement),
            }
        }
        Block { statements, value, span }
    }

    /// A block of statements without a value.
    pub(super) fn statements(&mut self, pair: Pair) -> Vec<Statement> {
        let pairs = inner(pair).collect();
        self.statement_list(pairs)
    }

    fn statement_list(&mut self, pairs: Vec<Pair>) -> Vec<Statement> {
        let mut statements: Vec<Statement> = Vec::new();
        for pair in pairs {
            let statement = self.statement(pair);
            if let Some(before) = statements.last() {
                self.require_newline(before.span, statement.span, "statement");
            }
            statements.push(statement);
        }
        statements
    }

    /// The last statement of a block: its value, if it is an expression that has one.
    fn value_statement(&mut self, pair: Pair) -> Result<Expr, Box<Statement>> {
        let expression = inner(pair.clone()).find(|part| part.as_rule() == Rule::expression);
        match expression {
            Some(expression) => match lone_if(&expression) {
                // An `if` whose branches all end in a value is the value; others change state.
                Some(conditional) if !gives_value(&conditional) => Err(Box::new(self.statement(pair))),
                _ => Ok(self.expression(expression)),
            },
            None => Err(Box::new(self.statement(pair))),
        }
    }

    pub(super) fn statement(&mut self, pair: Pair) -> Statement {
        let span = self.span(&pair);
        let (docs, parts) = children(pair);
        let kind = match parts.into_iter().next() {
            Some(part) => self.statement_kind(part, span),
            None => StatementKind::Axis(Vec::new()),
        };
        Statement { docs, kind, span }
    }

    fn statement_kind(&mut self, pair: Pair, span: Span) -> StatementKind {
        match pair.as_rule() {
            Rule::axes_statement => StatementKind::Axis(self.axes(pair)),
            Rule::let_statement => StatementKind::Let(self.let_statement(pair)),
            Rule::assign => {
                let (name, value) = self.binding(pair);
                StatementKind::Assign { name, value }
            }
            Rule::yield_statement => StatementKind::Yield(self.only_expression(pair)),
            Rule::assert_statement => StatementKind::Assert { condition: self.only_expression(pair) },
            Rule::data => StatementKind::Data(self.data(pair)),
            Rule::param => StatementKind::Param(self.param(pair)),
            Rule::vary => self.vary(pair),
            Rule::split => StatementKind::Split(self.split(pair)),
            Rule::train => StatementKind::Train(self.train(pair)),
            Rule::on_statement => {
                let train = self.train(pair);
                StatementKind::On { data: train.data, body: train.body }
            }
            Rule::measure => {
                let (name, value) = self.binding(pair);
                StatementKind::Measure { name, value }
            }
            Rule::record_statement => {
                let (name, value) = self.binding(pair);
                StatementKind::Record { name, value }
            }
            Rule::claim => {
                let text = inner(pair.clone()).find(|part| part.as_rule() == Rule::text);
                let text = self.text(&text.unwrap_or_else(|| pair.clone()));
                StatementKind::Claim { text, condition: self.only_expression(pair) }
            }
            Rule::report => StatementKind::Report(self.report(pair)),
            Rule::snapshot => self.snapshot(pair),
            Rule::quick => {
                let bindings: Vec<_> = inner(pair).filter(|part| part.as_rule() == Rule::binding).collect();
                let setting = |(name, value)| QuickSetting { name, value };
                StatementKind::Quick(bindings.into_iter().map(|b| setting(self.binding(b))).collect())
            }
            Rule::repeat => self.repeat(pair),
            Rule::setting => {
                let mut name = self.name(&pair);
                if let Some(word) = inner(pair.clone()).next() {
                    name = self.name(&word);
                }
                StatementKind::Setting { name, value: self.only_expression(pair) }
            }
            Rule::batch => self.batch(pair),
            Rule::epochs => StatementKind::Epochs(self.only_expression(pair)),
            Rule::steps => StatementKind::Steps(self.only_expression(pair)),
            Rule::state => StatementKind::State(self.state(pair)),
            Rule::objective => StatementKind::Objective(self.objective(pair)),
            Rule::every => {
                let body = inner(pair.clone()).find(|part| part.as_rule() == Rule::block);
                let body = body.map(|block| self.statements(block)).unwrap_or_default();
                let axis = inner(pair.clone()).find(|part| part.as_rule() == Rule::every_as);
                let axis = axis.and_then(|axis| self.names(axis).pop());
                StatementKind::Every { count: self.only_expression(pair), axis, body }
            }
            Rule::stop_statement => StatementKind::Stop(self.only_expression(pair)),
            Rule::keep => {
                let highest = inner(pair.clone()).any(|part| part.as_str() == "highest");
                let name = inner(pair.clone()).find(|part| part.as_rule() == Rule::name);
                StatementKind::Keep { highest, name: self.name(&name.unwrap_or(pair)) }
            }
            _ => match lone_if(&pair) {
                Some(conditional) => self.if_statement(conditional, span),
                None => StatementKind::Expression(self.expression(pair)),
            },
        }
    }

    /// The one expression directly inside a pair.
    fn only_expression(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let value = inner(pair).find(|part| part.as_rule() == Rule::expression);
        self.expression_or_nothing(value, span)
    }

    fn if_statement(&mut self, pair: Pair, span: Span) -> StatementKind {
        // From the last branch to the first: a long chain of `else if` needs no deep stack.
        let mut branches: Vec<(Pair, Span)> = Vec::new();
        let mut otherwise = None;
        let mut condition = None;
        let mut then = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expression => condition = Some(self.expression(part)),
                Rule::block => then = self.statements(part),
                Rule::else_if => {
                    let place = self.span(&part);
                    branches.push((part, place));
                }
                _ => otherwise = inner(part).next().map(|block| self.statements(block)),
            }
        }
        for (branch, place) in branches.into_iter().rev() {
            let mut inner_condition = None;
            let mut inner_then = Vec::new();
            for part in inner(branch) {
                match part.as_rule() {
                    Rule::block => inner_then = self.statements(part),
                    _ => inner_condition = Some(self.expression(part)),
                }
            }
            let condition = inner_condition.unwrap_or_else(|| self.nothing(place));
            let kind = StatementKind::If { condition, then: inner_then, otherwise };
            otherwise = Some(vec![Statement { docs: Vec::new(), kind, span: place }]);
        }
        let condition = condition.unwrap_or_else(|| self.nothing(span));
        StatementKind::If { condition, then, otherwise }
    }

    pub(super) fn let_statement(&mut self, pair: Pair) -> Let {
        let span = self.span(&pair);
        let mut names = Vec::new();
        let (mut ty, mut value, mut over, mut refresh) = (None, None, Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => names.push(self.name(&part)),
                Rule::let_names => names = self.names(part),
                Rule::type_ => ty = Some(self.ty(part)),
                Rule::init => value = Some(self.init(part)),
                Rule::model_over => over = inner(part).flat_map(|axes| self.axis_names(axes)).collect(),
                _ => refresh = Some(self.only_expression(part)),
            }
        }
        let value = value.unwrap_or_else(|| crate::syntax::ast::Init::Value(self.nothing(span)));
        Let { names, ty, value, over, refresh, span }
    }

    fn snapshot(&mut self, pair: Pair) -> StatementKind {
        let (mut values, mut within) = (Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::snapshot_within => within = Some(self.only_expression(part)),
                _ => values.extend(self.names(part).into_iter().map(|name| {
                    let span = name.span;
                    self.expr(ExprKind::Name(name), span)
                })),
            }
        }
        StatementKind::Snapshot { values, within }
    }

    fn vary(&mut self, pair: Pair) -> StatementKind {
        let mut name = self.name(&pair);
        let mut over = VaryOver::Arms(Vec::new());
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                Rule::arms => {
                    let arms = self.names(part);
                    for pair in arms.windows(2) {
                        self.require_separator(pair[0].span, pair[1].span, "arm");
                    }
                    over = VaryOver::Arms(arms);
                }
                _ => over = VaryOver::Values(self.expression(part)),
            }
        }
        StatementKind::Vary { name, over }
    }

    fn split(&mut self, pair: Pair) -> Split {
        let mut split = Split {
            data: self.name(&pair),
            by: Vec::new(),
            stratified: Vec::new(),
            seed: None,
            parts: Vec::new(),
        };
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => split.data = self.name(&part),
                Rule::split_by => split.by.extend(self.names(part)),
                Rule::stratified => split.stratified.extend(self.names(part)),
                Rule::split_seed => split.seed = Some(self.only_expression(part)),
                _ => split.parts.push(self.part(part)),
            }
        }
        split
    }

    fn part(&mut self, pair: Pair) -> Part {
        let mut name = self.name(&pair);
        let mut size = None;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                Rule::part_fold => size = self.names(part).pop().map(PartSize::Fold),
                Rule::part_where => size = Some(PartSize::Where(self.only_expression(part))),
                Rule::percent => {
                    size = inner(part).next().map(|number| PartSize::Percent(self.number(&number)))
                }
                _ => size = Some(PartSize::Count(self.expression(part))),
            }
        }
        Part { name, size }
    }

    fn train(&mut self, pair: Pair) -> Train {
        let mut train = Train { stream: false, data: Vec::new(), body: Vec::new() };
        for part in inner(pair) {
            match part.as_rule() {
                Rule::stream => train.stream = true,
                Rule::axis_names => train.data = self.axis_names(part),
                _ => train.body = self.statements(part),
            }
        }
        train
    }

    fn axis_names(&mut self, pair: Pair) -> Vec<AxisName> {
        inner(pair).map(|axis| self.axis(axis)).collect()
    }

    fn repeat(&mut self, pair: Pair) -> StatementKind {
        let span = self.span(&pair);
        let (mut axis, mut count, mut body) = (None, None, Vec::new());
        for part in inner(pair) {
            match part.as_rule() {
                Rule::repeat_axis => axis = self.names(part).pop(),
                Rule::block => body = self.statements(part),
                _ => count = Some(self.expression(part)),
            }
        }
        StatementKind::Repeat { axis, count: count.unwrap_or_else(|| self.nothing(span)), body }
    }

    fn batch(&mut self, pair: Pair) -> StatementKind {
        let size = self.only_expression(pair.clone());
        let (mut axis, mut sampling) = (None, Vec::new());
        for part in inner(pair).filter(|part| part.as_rule() == Rule::batch_over).flat_map(inner) {
            match part.as_rule() {
                Rule::axis => axis = Some(self.axis(part)),
                _ => sampling.extend(inner(part).map(|clause| self.sampling(clause))),
            }
        }
        StatementKind::Batch { size, axis, sampling }
    }

    fn sampling(&mut self, pair: Pair) -> Clause {
        let span = self.span(&pair);
        let mut values = inner(pair.clone()).filter(|part| part.as_rule() == Rule::expression);
        let value = values.next();
        let further: Vec<Pair> = values.collect();
        let each = inner(pair.clone()).find(|part| part.as_rule() == Rule::each);
        let mut at = span.start as usize;
        let words: &[&str] = match pair.as_rule() {
            Rule::balanced => &["balanced", "by"],
            Rule::weights => &["weights"],
            Rule::ordered => &["in", "order"],
            Rule::pairs if value.is_some() => &["pairs", "by"],
            Rule::pairs => &["pairs"],
            _ => &["stream"],
        };
        let words = words
            .iter()
            .map(|word| {
                let start = self.text[at..].find(word).map_or(at, |found| at + found);
                at = start + word.len();
                Name { text: (*word).to_owned(), span: Span::new(self.file, start, at) }
            })
            .collect();
        let value = value.map(|value| self.expression(value));
        let further = further.into_iter().map(|value| self.expression(value)).collect();
        Clause { words, value, further, each: each.map(|each| self.only_expression(each)) }
    }

    fn state(&mut self, pair: Pair) -> State {
        let (mut names, mut ty) = (Vec::new(), None);
        for part in inner(pair.clone()) {
            match part.as_rule() {
                Rule::names => names = self.names(part),
                Rule::type_ => ty = Some(self.ty(part)),
                _ => {}
            }
        }
        State { names, ty, value: self.only_expression(pair) }
    }

    fn objective(&mut self, pair: Pair) -> Objective {
        let span = self.span(&pair);
        let mut objective = Objective {
            maximize: pair.as_str().starts_with("maximize"),
            terms: Vec::new(),
            named: false,
            combiner: None,
            constraints: Vec::new(),
            over: Vec::new(),
            with: None,
            steps: None,
            project: None,
            span,
        };
        for part in pair.into_inner() {
            let place = self.span(&part);
            let again = match part.as_rule() {
                Rule::expression => {
                    let value = self.expression(part);
                    objective.terms.push(Term { name: None, value, over: Vec::new(), span: place });
                    false
                }
                Rule::terms => {
                    objective.named = true;
                    objective.terms = self.terms(part);
                    false
                }
                Rule::constraint => {
                    let method = inner(part.clone()).find(|part| part.as_rule() == Rule::method);
                    let method = method.map(|method| self.only_expression(method));
                    objective.constraints.push(Constraint { condition: self.only_expression(part), method });
                    false
                }
                Rule::over_clause => {
                    let before = objective.over.len();
                    let values =
                        inner(part).flat_map(inner).map(|value| self.expression(value)).collect::<Vec<_>>();
                    objective.over.extend(values);
                    before > 0
                }
                Rule::combined_by => objective.combiner.replace(self.only_expression(part)).is_some(),
                Rule::with_clause => objective.with.replace(self.only_expression(part)).is_some(),
                Rule::steps_clause => objective.steps.replace(self.only_expression(part)).is_some(),
                Rule::project_clause => objective.project.replace(self.only_expression(part)).is_some(),
                _ => false,
            };
            if again {
                self.errors.push(error::repeated_clause(place));
            }
        }
        objective
    }

    fn terms(&mut self, pair: Pair) -> Vec<Term> {
        let mut terms: Vec<Term> = Vec::new();
        for part in inner(pair) {
            let span = self.span(&part);
            let over = inner(part.clone()).find(|part| part.as_rule() == Rule::term_over);
            let over = over.map_or(Vec::new(), |over| inner(over).map(|e| self.expression(e)).collect());
            let mut name = self.name(&part);
            for word in inner(part.clone()).filter(|part| part.as_rule() == Rule::name) {
                name = self.name(&word);
            }
            let value = self.only_expression(part);
            if let Some(before) = terms.last() {
                self.require_separator(before.span, span, "term");
            }
            terms.push(Term { name: Some(name), value, over, span });
        }
        terms
    }

    fn report(&mut self, pair: Pair) -> Vec<ReportLine> {
        let mut lines: Vec<ReportLine> = Vec::new();
        for part in inner(pair) {
            let span = self.span(&part);
            let (docs, parts) = children(part);
            if let Some(before) = lines.last() {
                self.require_newline(before.span, span, "line of the report");
            }
            if let Some(kind) = parts.into_iter().next().map(|part| self.report_kind(part)) {
                lines.push(ReportLine { docs, kind, span });
            }
        }
        lines
    }

    fn report_kind(&mut self, pair: Pair) -> ReportKind {
        let rule = pair.as_rule();
        let (mut values, mut over, mut by): (Vec<Expr>, Option<Name>, Vec<Name>) = Default::default();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expressions => values = inner(part).map(|value| self.expression(value)).collect(),
                Rule::report_over => over = self.names(part).pop(),
                Rule::report_by => by = self.names(part),
                _ => return ReportKind::Text(self.text(&part)),
            }
        }
        if rule == Rule::table {
            ReportKind::Table { values, by }
        } else {
            ReportKind::Plot { values, over, by }
        }
    }
}

/// The `if` that an expression consists of, without operators around it.
fn lone_if<'p>(expression: &Pair<'p>) -> Option<Pair<'p>> {
    let mut pair = expression.clone();
    for rule in [Rule::operand, Rule::chain, Rule::primary, Rule::if_expression] {
        let mut parts = inner(pair);
        let only = parts.next()?;
        if only.as_rule() != rule || parts.next().is_some() {
            return None;
        }
        pair = only;
    }
    Some(pair)
}

/// Whether an `if` has an `else` and every branch ends in an expression.
fn gives_value(conditional: &Pair) -> bool {
    let mut complete = false;
    for part in inner(conditional.clone()) {
        let block = match part.as_rule() {
            Rule::expression => continue,
            Rule::block => Some(part),
            Rule::else_block => {
                complete = true;
                inner(part).find(|part| part.as_rule() == Rule::block)
            }
            _ => inner(part).find(|part| part.as_rule() == Rule::block),
        };
        let last = block.and_then(|block| inner(block).last());
        let value =
            last.and_then(|statement| inner(statement).find(|part| part.as_rule() == Rule::expression));
        match value {
            None => return false,
            Some(value) => {
                if lone_if(&value).is_some_and(|conditional| !gives_value(&conditional)) {
                    return false;
                }
            }
        }
    }
    complete
}
