//! The whole page: its head, its sections in order, and the figures that it shows.

use super::{Report, provenance, source, style, table, verdict};
use crate::report::escape::escape;
use crate::report::plot::{self, Figure};
use crate::report::stored::StoredResults;

/// The figures of a page by where they stand: those of `plot` statements, those of training, those that suit the measures.
struct Figures {
    stated: Vec<Figure>,
    training: Vec<Figure>,
    chosen: Vec<Figure>,
}

impl Figures {
    fn new(results: &StoredResults) -> Self {
        let mut figures = Figures {
            stated: results.plots.iter().flat_map(|statement| plot::stated(statement, results)).collect(),
            training: plot::training(results),
            chosen: plot::chosen(results),
        };
        // What the file asks for is not shown twice.
        let stated: Vec<String> = figures.stated.iter().map(|figure| figure.name.clone()).collect();
        figures.training.retain(|figure| !stated.contains(&figure.name));
        figures.chosen.retain(|figure| !stated.contains(&figure.name));
        figures
    }
}

/// All figures of a page, with a name of its own for each.
pub fn figures(results: &StoredResults) -> Vec<Figure> {
    let Figures { stated, training, chosen } = Figures::new(results);
    plot::with_own_names(stated.into_iter().chain(chosen).chain(training).collect())
}

/// The page as HTML.
pub fn page(report: &Report) -> String {
    let results = report.results;
    let figures = Figures::new(results);
    let mut numbered = Numbered::default();
    let sections = [
        ("verdicts", "Verdicts", verdict::verdicts(results)),
        ("report", "Report", stated(report, figures.stated, &mut numbered)),
        ("measures", "Measures", table::measures(results)),
        ("plots", "Plots", numbered.grid(&figures.chosen)),
        ("training", "Training", training(results, &figures.training, &mut numbered)),
        ("source", "Source", source::source(report)),
        ("provenance", "Provenance", provenance::provenance(report)),
    ];
    let shown: Vec<&(&str, &str, String)> = sections.iter().filter(|(_, _, body)| !body.is_empty()).collect();
    let links = shown.iter().map(|(id, name, _)| format!("<a href=\"#{id}\">{name}</a>")).collect::<Vec<_>>();
    let bodies = shown.iter().map(|(id, name, body)| {
        format!("<section id=\"{id}\" aria-labelledby=\"{id}-name\">\n<h2 id=\"{id}-name\">{name}</h2>\n{body}</section>\n")
    });
    let name = escape(&results.experiment);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{name}: report</title>\n\
         <style>\n{}{}{}</style>\n</head>\n<body>\n<header>\n<h1>{name}</h1>\n{}{}<nav aria-label=\"Sections\">{}</nav>\n</header>\n\
         <main>\n{}</main>\n</body>\n</html>\n",
        plot::COLOURS,
        style::PAGE,
        plot::STYLE,
        source::introduction(report),
        verdict::summary(results),
        links.join(" "),
        bodies.collect::<String>(),
    )
}

/// Texts, tables and plots of the `report` statements.
fn stated(report: &Report, figures: Vec<Figure>, numbered: &mut Numbered) -> String {
    let results = report.results;
    let mut out = String::new();
    for text in &results.texts {
        out.push_str(&format!("<p>{}</p>\n", escape(text)));
    }
    results.tables.iter().for_each(|stored| out.push_str(&table::stated(stored)));
    out.push_str(&numbered.grid(&figures));
    out
}

/// Curves of training, and the trials that diverged.
fn training(results: &StoredResults, figures: &[Figure], numbered: &mut Numbered) -> String {
    let mut out = String::new();
    if !results.diverged.is_empty() {
        let lines = results.diverged.iter().map(|divergence| {
            let trial: Vec<String> =
                divergence.trial.iter().map(|(axis, label)| format!("{axis} = {label}")).collect();
            let trial = if trial.is_empty() { "the trial".to_owned() } else { trial.join(", ") };
            format!(
                "<li>{}: term <code>{}</code> at step {}, <a href=\"#L{}\">line {}</a></li>\n",
                escape(&trial),
                escape(&divergence.term),
                divergence.step,
                divergence.line,
                divergence.line
            )
        });
        out.push_str(&format!(
            "<p class=\"refuted\">Diverged:</p>\n<ul>\n{}</ul>\n",
            lines.collect::<String>()
        ));
    }
    out.push_str(&numbered.grid(figures));
    out
}

/// Gives every figure of the page an identity.
#[derive(Default)]
struct Numbered {
    count: usize,
}

impl Numbered {
    fn grid(&mut self, figures: &[Figure]) -> String {
        if figures.is_empty() {
            return String::new();
        }
        let mut out = String::from("<div class=\"figures\">\n");
        for figure in figures {
            self.count += 1;
            out.push_str(&format!(
                "<figure>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>\n",
                escape(&figure.title),
                figure.element(&format!("figure{}", self.count)),
                escape(&figure.description)
            ));
        }
        out.push_str("</div>\n");
        out
    }
}
