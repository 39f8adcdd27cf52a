//! The tree as text that a person can read and a snapshot can hold: one line a declaration or statement, expressions
//! in prefix form with parentheses, no places.

use super::ast::*;
use super::format::sign;

/// The whole tree of a file.
pub fn dump(file: &File) -> String {
    let mut out = Dump::default();
    out.docs(&file.docs);
    for item in &file.items {
        out.item(item);
    }
    out.text
}

#[derive(Default)]
struct Dump {
    text: String,
    depth: usize,
}

impl Dump {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn inside(&mut self, print: impl FnOnce(&mut Self)) {
        self.depth += 1;
        print(self);
        self.depth -= 1;
    }

    fn docs(&mut self, docs: &[String]) {
        for line in docs {
            self.line(format!("doc {line:?}"));
        }
    }

    fn item(&mut self, item: &Item) {
        self.docs(&item.docs);
        match &item.kind {
            ItemKind::Use(used) => {
                self.line(format!("use {} ({})", names(&used.path, "."), names(&used.names, " ")))
            }
            ItemKind::Function(function) => self.function("fn", function),
            ItemKind::Combiner(function) => self.function("combiner", function),
            ItemKind::Layer(layer) => {
                let parameters = list(&layer.parameters, parameter);
                self.line(format!("layer {} [{}] ({parameters})", layer.name.text, names(&layer.axes, " ")));
                self.inside(|out| layer.members.iter().for_each(|member| out.member(member)));
            }
            ItemKind::Optimizer(optimizer)
            | ItemKind::SteppingCombiner(optimizer)
            | ItemKind::Constraint(optimizer) => {
                let word = match &item.kind {
                    ItemKind::Optimizer(_) => "optimizer",
                    ItemKind::Constraint(_) => "constraint",
                    _ => "combiner",
                };
                let axes = match optimizer.axes.is_empty() {
                    true => String::new(),
                    false => format!(" [{}]", names(&optimizer.axes, " ")),
                };
                self.line(format!(
                    "{word} {}{axes} ({})",
                    optimizer.name.text,
                    list(&optimizer.parameters, parameter)
                ));
                self.inside(|out| {
                    out.line(format!("states {}", bindings(&optimizer.states)));
                    out.function("step", &optimizer.step);
                });
            }
            ItemKind::Data(data) => self.data(data),
            ItemKind::Experiment(experiment) => {
                self.line(format!("experiment {}", experiment.name.text));
                self.statements(&experiment.body);
            }
            ItemKind::Test(test) => {
                self.line(format!("test {:?}", test.name.text));
                self.inside(|out| out.block(&test.body));
            }
            ItemKind::Axis(axes) => self.line(axis_declarations(axes)),
            ItemKind::Let(value) => self.line(let_line(value)),
        }
    }

    fn function(&mut self, word: &str, function: &Function) {
        let name = if function.name.text.is_empty() { "(call)" } else { &function.name.text };
        let result = function.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", type_of(ty)));
        let short = if function.short { " =" } else { "" };
        let parameters = list(&function.parameters, parameter);
        self.line(format!("{word} {name} [{}] ({parameters}){result}{short}", names(&function.axes, " ")));
        self.inside(|out| out.block(&function.body));
        if let Some(gradient) = &function.gradient {
            self.line(format!("gradient ({})", names(&gradient.0, " ")));
            self.inside(|out| out.block(&gradient.1));
        }
    }

    fn member(&mut self, member: &Member) {
        self.docs(&member.docs);
        match &member.kind {
            MemberKind::Param(param) => self.line(param_line(param)),
            MemberKind::Let(value) => self.line(let_line(value)),
            MemberKind::Axis(axes) => self.line(axis_declarations(axes)),
            MemberKind::Call(function) => self.function("method", function),
        }
    }

    fn data(&mut self, data: &Data) {
        let head = format!("data {} over {}", data.name.text, data.axis.text);
        match &data.source {
            DataSource::File { reader, arguments, key, columns } => {
                let head = match key {
                    Some(key) => format!("{head} by {}", key.text),
                    None => head,
                };
                self.line(format!("{head} from file ({} {})", reader.text, list(arguments, argument)));
                self.inside(|out| columns.iter().for_each(|column| out.column(column)));
            }
            DataSource::Generated { size, block } => {
                self.line(format!("{head} generated {}", expression(size)));
                self.inside(|out| {
                    for line in block {
                        match line {
                            GeneratorStatement::Column(column) => out.column(column),
                            GeneratorStatement::Statement(statement) => out.statement(statement),
                        }
                    }
                });
            }
            DataSource::Sampled { size, from, .. } => {
                self.line(format!("{head} sampled {} from {}", expression(size), expression(from)));
            }
        }
    }

    fn column(&mut self, column: &Column) {
        self.docs(&column.docs);
        let value = column.value.as_ref().map_or(String::new(), init);
        let missing = column
            .missing
            .as_ref()
            .map_or(String::new(), |policy| format!(" missing {}", expression(policy)));
        self.line(format!("column {}: {}{value}{missing}", column.name.text, type_of(&column.ty)));
    }

    fn block(&mut self, block: &Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
        if let Some(value) = &block.value {
            self.line(format!("value {}", expression(value)));
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        self.inside(|out| statements.iter().for_each(|statement| out.statement(statement)));
    }

    fn statement(&mut self, statement: &Statement) {
        self.docs(&statement.docs);
        match &statement.kind {
            StatementKind::Axis(axes) => self.line(axis_declarations(axes)),
            StatementKind::Let(value) => self.line(let_line(value)),
            StatementKind::Assign { name, value } => {
                self.line(format!("assign {} {}", name.text, expression(value)))
            }
            StatementKind::Assert { condition } => self.line(format!("assert {}", expression(condition))),
            StatementKind::Yield(value) => self.line(format!("yield {}", expression(value))),
            StatementKind::If { condition, then, otherwise } => {
                self.line(format!("if {}", expression(condition)));
                self.statements(then);
                if let Some(otherwise) = otherwise {
                    self.line("else");
                    self.statements(otherwise);
                }
            }
            StatementKind::Expression(value) => self.line(format!("expression {}", expression(value))),
            StatementKind::Data(data) => self.data(data),
            StatementKind::Param(param) => self.line(param_line(param)),
            StatementKind::Vary { name, over: VaryOver::Arms(arms) } => {
                self.line(format!("vary {} {{{}}}", name.text, names(arms, " ")));
            }
            StatementKind::Vary { name, over: VaryOver::Values(values) } => {
                self.line(format!("vary {} {}", name.text, expression(values)));
            }
            StatementKind::Split(split) => self.split(split),
            StatementKind::Train(train) => {
                let stream = if train.stream { " stream" } else { "" };
                self.line(format!("train{stream} on ({})", list(&train.data, axis)));
                self.statements(&train.body);
            }
            StatementKind::On { data, body } => {
                self.line(format!("on ({})", list(data, axis)));
                self.statements(body);
            }
            StatementKind::Measure { name, value } => {
                self.line(format!("measure {} {}", name.text, expression(value)))
            }
            StatementKind::Claim { text, condition } => {
                self.line(format!("claim {:?} {}", text.text, expression(condition)));
            }
            StatementKind::Report(lines) => self.report(lines),
            StatementKind::Snapshot { values, within } => {
                let within = optional(" within ", within.as_ref());
                self.line(format!("snapshot {}{within}", list(values, expression)));
            }
            StatementKind::Quick(settings) => {
                let setting = |setting: &QuickSetting| {
                    format!("{} = {}", setting.name.text, expression(&setting.value))
                };
                self.line(format!("quick {}", list(settings, setting)));
            }
            StatementKind::Repeat { axis, count, body } => {
                let axis = axis.as_ref().map_or("", |axis| &axis.text);
                self.line(format!("repeat [{axis}] {}", expression(count)));
                self.statements(body);
            }
            StatementKind::Setting { name, value } => {
                self.line(format!("setting {} {}", name.text, expression(value)))
            }
            StatementKind::Batch { size, axis: over, sampling } => {
                let over = over.as_ref().map_or(String::new(), |over| format!(" over {}", axis(over)));
                let sampling = list(sampling, |clause| {
                    let each = optional(" each ", clause.each.as_ref());
                    let further: String =
                        clause.further.iter().map(|key| format!(" {}", expression(key))).collect();
                    let value = optional(" ", clause.value.as_ref());
                    format!("({}{value}{further}{each})", names(&clause.words, " "))
                });
                self.line(format!("batch {}{over} [{sampling}]", expression(size)));
            }
            StatementKind::Epochs(count) => self.line(format!("epochs {}", expression(count))),
            StatementKind::Steps(count) => self.line(format!("steps {}", expression(count))),
            StatementKind::State(state) => {
                let ty = state.ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_of(ty)));
                self.line(format!("state {}{ty} = {}", names(&state.names, " "), expression(&state.value)));
            }
            StatementKind::Objective(objective) => self.objective(objective),
            StatementKind::Every { count, axis, body } => {
                let axis = axis.as_ref().map_or(String::new(), |axis| format!(" as {}", axis.text));
                self.line(format!("every {}{axis}", expression(count)));
                self.statements(body);
            }
            StatementKind::Record { name, value } => {
                self.line(format!("record {} {}", name.text, expression(value)))
            }
            StatementKind::Stop(condition) => self.line(format!("stop when {}", expression(condition))),
            StatementKind::Keep { highest, name } => {
                self.line(format!("keep {} {}", if *highest { "highest" } else { "lowest" }, name.text));
            }
        }
    }

    fn split(&mut self, split: &Split) {
        let parts = list(&split.parts, |part| match &part.size {
            Some(PartSize::Percent(percent)) => format!("({} {}%)", part.name.text, expression(percent)),
            Some(PartSize::Count(count)) => format!("({} {})", part.name.text, expression(count)),
            Some(PartSize::Fold(fold)) => format!("({} fold {})", part.name.text, fold.text),
            Some(PartSize::Where(mask)) => format!("({} where {})", part.name.text, expression(mask)),
            None => format!("({})", part.name.text),
        });
        let (by, stratified) = (names(&split.by, " "), names(&split.stratified, " "));
        let seed = optional(" seed ", split.seed.as_ref());
        self.line(format!(
            "split {} by [{by}] stratified [{stratified}]{seed} into {parts}",
            split.data.text
        ));
    }

    fn report(&mut self, lines: &[ReportLine]) {
        self.line("report");
        self.inside(|out| {
            for line in lines {
                out.docs(&line.docs);
                match &line.kind {
                    ReportKind::Table { values, by } => {
                        out.line(format!("table {} by [{}]", list(values, expression), names(by, " ")));
                    }
                    ReportKind::Plot { values, over, by } => {
                        let over = over.as_ref().map_or("", |over| &over.text);
                        out.line(format!(
                            "plot {} over [{over}] by [{}]",
                            list(values, expression),
                            names(by, " ")
                        ));
                    }
                    ReportKind::Text(text) => out.line(format!("text {:?}", text.text)),
                }
            }
        });
    }

    fn objective(&mut self, objective: &Objective) {
        self.line(if objective.maximize { "maximize" } else { "minimize" });
        self.inside(|out| {
            for term in &objective.terms {
                let name = term.name.as_ref().map_or("(unnamed)", |name| &name.text);
                out.line(format!("term {name} {}", expression(&term.value)));
                if !term.over.is_empty() {
                    out.inside(|out| out.line(format!("over {}", list(&term.over, expression))));
                }
            }
            for (word, value) in [
                ("by", &objective.combiner),
                ("with", &objective.with),
                ("steps", &objective.steps),
                ("project", &objective.project),
            ] {
                if let Some(value) = value {
                    out.line(format!("{word} {}", expression(value)));
                }
            }
            for constraint in &objective.constraints {
                let method = optional(" by ", constraint.method.as_ref());
                out.line(format!("subject to {}{method}", expression(&constraint.condition)));
            }
            if !objective.over.is_empty() {
                out.line(format!("over {}", list(&objective.over, expression)));
            }
        });
    }
}

fn names(names: &[Name], between: &str) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(between)
}

fn list<T>(values: &[T], print: impl Fn(&T) -> String) -> String {
    values.iter().map(print).collect::<Vec<_>>().join(" ")
}

fn optional(before: &str, value: Option<&Expr>) -> String {
    value.map_or(String::new(), |value| format!("{before}{}", expression(value)))
}

fn bindings(bindings: &[(Name, Expr)]) -> String {
    list(bindings, |(name, value)| format!("({} {})", name.text, expression(value)))
}

fn axis_declarations(axes: &[AxisDeclaration]) -> String {
    format!("axis {}", list(axes, |axis| format!("({} {})", axis.name.text, expression(&axis.size))))
}

fn init(init: &Init) -> String {
    match init {
        Init::Value(value) => format!(" = {}", expression(value)),
        Init::Draw(value) => format!(" ~ {}", expression(value)),
    }
}

fn let_line(value: &Let) -> String {
    let ty = value.ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_of(ty)));
    let refresh = optional(" every ", value.refresh.as_ref());
    let over: Vec<String> = value.over.iter().map(axis).collect();
    let over = if over.is_empty() { String::new() } else { format!(" over {}", over.join(" ")) };
    format!("let {}{ty}{}{over}{refresh}", names(&value.names, " "), init(&value.value))
}

fn param_line(param: &Param) -> String {
    format!("param {}: {}{}", names(&param.names, " "), type_of(&param.ty), init(&param.init))
}

fn parameter(parameter: &Parameter) -> String {
    let ty = parameter.ty.as_ref().map_or(String::new(), |ty| format!(": {}", type_of(ty)));
    format!("{}{ty}{}", parameter.name.text, optional(" = ", parameter.default.as_ref()))
}

fn axis(axis: &AxisName) -> String {
    format!("{}{}", names(&axis.path, "."), if axis.primed { "'" } else { "" })
}

fn type_of(ty: &Type) -> String {
    match &ty.kind {
        TypeKind::Array { element, axes, .. } if axes.is_empty() => element.text.clone(),
        TypeKind::Array { element, axes, .. } => format!("{}[{}]", element.text, list(axes, axis)),
        TypeKind::Record(entries) => {
            format!("{{{}}}", list(entries, |(name, ty)| format!("{}: {}", name.text, type_of(ty))))
        }
        TypeKind::Tuple(types) => format!("({})", list(types, type_of)),
        TypeKind::Function { parameters, result } => {
            format!("fn({}) -> {}", list(parameters, type_of), type_of(result))
        }
    }
}

fn argument(argument: &Argument) -> String {
    match &argument.kind {
        ArgumentKind::Positional(value) => expression(value),
        ArgumentKind::Named { name, value } => format!("{}: {}", name.text, expression(value)),
        ArgumentKind::As { value, name, further, size } => {
            let further = list(further, |name| format!(" {}", name.text));
            format!("({} as {}{further}{})", expression(value), name.text, optional(" = ", size.as_ref()))
        }
    }
}

fn selector(selector: &Selector) -> String {
    let end = |end: &Option<Expr>| end.as_ref().map_or(String::new(), expression);
    match selector {
        Selector::Axis(named) => axis(named),
        Selector::Rename { axis: named, to } => format!("({} as {})", axis(named), axis(to)),
        Selector::Pick { axis: named, index } => format!("({} = {})", axis(named), expression(index)),
        Selector::Slice { axis: named, start, end: last } => {
            format!("({} = {}..{})", axis(named), end(start), end(last))
        }
    }
}

fn block(block: &Block) -> String {
    let mut out = Dump::default();
    out.block(block);
    format!("{{{}}}", out.text.lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

fn expression(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Number { text, .. } => text.clone(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Name(name) => name.text.clone(),
        ExprKind::Parenthesised(value) => format!("<{}>", expression(value)),
        ExprKind::Tuple(values) => format!("(tuple {})", list(values, expression)),
        ExprKind::List(values) => format!("(list {})", list(values, expression)),
        ExprKind::Record(entries) => format!("(record {})", bindings(entries)),
        ExprKind::Unary { operator, value } => {
            let sign = if *operator == UnaryOperator::Negate { "-" } else { "not" };
            format!("({sign} {})", expression(value))
        }
        ExprKind::Binary { operator, left, right, .. } => {
            format!("({} {} {})", sign(*operator), expression(left), expression(right))
        }
        ExprKind::Approximately { left, right, within } => {
            format!(
                "(~= {} {}{})",
                expression(left),
                expression(right),
                optional(" within ", within.as_deref())
            )
        }
        ExprKind::Call(call) => {
            let axes =
                if call.axes.is_empty() { String::new() } else { format!(" [{}]", list(&call.axes, axis)) };
            let mut parts = vec![format!("call {}{axes}", expression(&call.callee))];
            parts.extend(call.arguments.iter().map(argument));
            if !call.by.is_empty() {
                parts.push(format!("by {}", list(&call.by, expression)));
            }
            parts.extend(call.filter.iter().map(|filter| format!("where {}", expression(filter))));
            parts.extend(call.otherwise.iter().map(|otherwise| format!("else {}", expression(otherwise))));
            format!("({})", parts.join(" "))
        }
        ExprKind::Index { value, selectors } => {
            format!("(index {} {})", expression(value), list(selectors, selector))
        }
        ExprKind::Field { value, field } => format!("(field {} {})", expression(value), field.text),
        ExprKind::Match { value, arms } => {
            let arms = list(arms, |arm| {
                let pattern = match &arm.pattern {
                    Pattern::Name(name) => name.text.clone(),
                    Pattern::Number(number, _) => number.to_string(),
                    Pattern::Any(_) => "_".to_owned(),
                };
                format!("({pattern} {})", expression(&arm.value))
            });
            format!("(match {} {arms})", expression(value))
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} {} {})", expression(condition), block(then), block(otherwise))
        }
        ExprKind::Scan { item, axis: along, from, body } => {
            format!("(scan {} {} from {} {})", item.text, axis(along), bindings(from), block(body))
        }
        ExprKind::Iterate { count, bounded, until, from, body } => {
            let word = if *bounded { "iterate-up-to" } else { "iterate" };
            let until = optional(" until ", until.as_deref());
            format!("({word} {}{until} from {} {})", expression(count), bindings(from), block(body))
        }
        ExprKind::Lambda { parameters, result, body } => {
            let result = result.as_ref().map_or(String::new(), |ty| format!(" -> {}", type_of(ty)));
            format!("(fn ({}){result} {})", list(parameters, parameter), block(body))
        }
        ExprKind::From { value, source, map } => {
            let map = list(map, |(from, to)| format!("({:?} {:?})", from.text, to.text));
            format!("(from {} {} {map})", expression(value), expression(source))
        }
    }
}
