//! `ansatz report`: a kept run as a page, and its plots as files.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::runs::{self, Outcome, find, unwritten};
use crate::report::{self, Figure, Report as Content, StoredResults};
use crate::store::{self, RunRecord, RunStore};

#[derive(Args)]
pub struct Report {
    /// A run by its name or the beginning of it, or a file: its newest run (of each experiment). Without it, the newest run
    #[arg(value_name = "RUN|FILE")]
    run: Option<String>,
    /// Where the page is written; without it, `report.html` in the folder of the run
    #[arg(long, short, value_name = "PAGE")]
    out: Option<PathBuf>,
    /// Write every plot to this folder, too, as an SVG file
    #[arg(long, value_name = "FOLDER")]
    svg: Option<PathBuf>,
    /// Write every plot to this folder, too, as a PNG file of three times its size, in light colours
    #[arg(long, value_name = "FOLDER")]
    png: Option<PathBuf>,
    /// Folder in which runs are kept
    #[arg(long, default_value = "runs", value_name = "FOLDER")]
    runs: PathBuf,
}

impl Report {
    pub fn execute(&self) -> Exit {
        let store = RunStore::open(&self.runs);
        runs::exit(self.all(&store), &self.runs)
    }

    fn all(&self, store: &RunStore) -> Outcome {
        let runs = self.chosen(store)?;
        let several = runs.len() > 1;
        for run in &runs {
            let results = runs::results(store, run)?;
            let source = store.file(run, "source.anz").ok();
            let content = Content { results: &results, source: source.as_deref(), record: Some(run) };
            let target = match &self.out {
                Some(out) => own_name(out, several.then_some(run.experiment.as_str())),
                None => self.runs.join(&run.id).join("report.html"),
            };
            write(&target, &report::page(&content))?;
            let own =
                |folder: &Path| if several { folder.join(&run.experiment) } else { folder.to_path_buf() };
            if let Some(folder) = &self.svg {
                plots(&own(folder), &results, "svg", |figure| Ok(figure.document().into_bytes()))?;
            }
            if let Some(folder) = &self.png {
                plots(&own(folder), &results, "png", Figure::image)?;
            }
        }
        Ok(())
    }

    /// The runs that are meant: of a file, the newest of each of its experiments.
    fn chosen(&self, store: &RunStore) -> Outcome<Vec<RunRecord>> {
        let Some(name) = &self.run else {
            return Ok(vec![find(store, "")?]);
        };
        if Path::new(name).extension().is_none_or(|extension| extension != "anz") {
            return Ok(vec![find(store, name)?]);
        }
        let chosen = runs::newest_of(store, name, |_| true);
        match chosen.is_empty() {
            true => Err(runs::missing(store, name)),
            false => Ok(chosen),
        }
    }
}

/// `page.html`, or `page-name.html` where there is a page for each experiment.
pub fn own_name(page: &Path, experiment: Option<&str>) -> PathBuf {
    let Some(experiment) = experiment else { return page.to_path_buf() };
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    let extension = page.extension().map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
    page.with_file_name(format!("{stem}-{experiment}{extension}"))
}

fn plots(
    folder: &Path,
    results: &StoredResults,
    extension: &str,
    draw: impl Fn(&Figure) -> Result<Vec<u8>, String>,
) -> Outcome {
    std::fs::create_dir_all(folder)
        .map_err(|error| unwritten(&format!("`{}` cannot be made: {error}", folder.display())))?;
    let figures: Vec<Figure> = report::figures(results);
    for figure in &figures {
        let target = folder.join(format!("{}.{extension}", figure.name));
        let written =
            draw(figure).and_then(|bytes| store::write(&target, &bytes).map_err(|error| error.to_string()));
        written.map_err(|error| unwritten(&format!("`{}` cannot be written: {error}", target.display())))?;
    }
    eprintln!("{} plots written to {}", figures.len(), folder.display());
    Ok(())
}

fn write(target: &Path, text: &str) -> Outcome {
    store::write(target, text.as_bytes())
        .map_err(|error| unwritten(&format!("`{}` cannot be written: {error}", target.display())))?;
    eprintln!("written to {}", target.display());
    Ok(())
}
