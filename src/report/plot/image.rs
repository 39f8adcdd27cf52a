//! Plots as images of points (PNG), in light colours.
//!
//! In: a figure. Out: the bytes of a file. Colours and letters do not depend on the machine: variables of the style are put in, and the
//! font comes with the program; letters that it lacks are taken from fonts of the system.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::{Figure, OWN_COLOURS, STYLE};

/// Points of the image for one of the drawing.
const SCALE: f32 = 3.0;

const FONT: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
const FAMILY: &str = "DejaVu Sans";

impl Figure {
    /// The plot as a PNG file. The error is a sentence.
    pub fn image(&self) -> Result<Vec<u8>, String> {
        let space = " xmlns=\"http://www.w3.org/2000/svg\"";
        let text = self.svg("plot", space, &format!("<style>\n{}</style>\n", printed(STYLE, OWN_COLOURS)));
        let options = Options { fontdb: fonts(), font_family: FAMILY.to_owned(), ..Options::default() };
        let tree =
            Tree::from_str(&text, &options).map_err(|error| format!("the plot cannot be drawn: {error}"))?;
        let size = tree.size();
        let (width, height) = ((size.width() * SCALE).ceil() as u32, (size.height() * SCALE).ceil() as u32);
        let mut image = Pixmap::new(width, height).ok_or("the plot has no area")?;
        image.fill(Color::WHITE);
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut image.as_mut());
        image.encode_png().map_err(|error| format!("the plot cannot be encoded: {error}"))
    }
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.load_system_fonts();
        fonts.set_sans_serif_family(FAMILY);
        Arc::new(fonts)
    });
    fonts.clone()
}

/// The style with the light colours in place of variables. A rule with the colour of a series becomes a rule for each series.
fn printed(style: &str, colours: &str) -> String {
    let light = colours.split("@media").next().unwrap_or_default();
    let declared =
        light.split([';', '{', '}']).filter_map(|part| part.trim().strip_prefix("--")?.split_once(':'));
    let variables: Vec<(String, &str)> =
        declared.map(|(name, value)| (format!("var(--{name})"), value.trim())).collect();
    let series = variables.iter().filter_map(|(name, value)| {
        let number = name.strip_prefix("var(--c")?.strip_suffix(')')?;
        Some((number, *value))
    });
    let series: Vec<(&str, &str)> = series.collect();
    let mut text = String::new();
    for line in style.lines() {
        if line.contains("--own:") {
            continue;
        }
        if line.contains("var(--own)") {
            for (number, value) in &series {
                let own =
                    line.replace("svg.plot .", &format!("svg.plot .s{number}.")).replace("var(--own)", value);
                text += &format!("{own}\n");
            }
            continue;
        }
        let put = variables.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value));
        text += &format!("{}\n", put.replace("system-ui, sans-serif", &format!("'{FAMILY}'")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_left() {
        let text = printed(STYLE, OWN_COLOURS);
        assert!(!text.contains("var(") && !text.contains("--"), "{text}");
        assert!(text.contains("svg.plot .s1.curve, svg.plot .s1.whisker { stroke: #d55e00; }"), "{text}");
        assert!(text.contains("svg.plot .tick { fill: #5b626b; }"), "{text}");
    }

    /// A plot has white ground, the colour of its series and dark letters, at three times its size.
    #[test]
    fn an_image_shows_the_plot() {
        let results = serde_json::json!({
            "experiment": "small", "claims": [],
            "measures": [{
                "name": "error", "line": 1, "values": [1.0, 1.5, 0.25, 0.5],
                "axes": [{ "name": "Arm", "labels": ["plain", "smooth"] }, { "name": "Seed", "labels": ["0", "1"] }],
            }],
            "provenance": {
                "ansatz": "0", "file": "small.anz", "source": "", "program": "", "data": [], "seed": 0, "backend": "cpu",
                "settings": [],
            },
        });
        let results = crate::report::stored(&results.to_string()).expect("results");
        let figures = crate::report::figures(&results);
        let bytes = figures[0].image().expect("an image");
        let image = Pixmap::decode_png(&bytes).expect("a PNG file");
        assert_eq!(image.width(), 3 * 420);
        let count = |wanted: &dyn Fn(u8, u8, u8) -> bool| {
            let points =
                image.pixels().iter().filter(|point| wanted(point.red(), point.green(), point.blue()));
            points.count()
        };
        let all = image.pixels().len();
        assert!(count(&|r, g, b| (r, g, b) == (255, 255, 255)) > all / 2);
        assert!(count(&|r, _, b| r < 60 && b > 150) > all / 100, "the bars are missing");
        assert!(count(&|r, g, b| r < 60 && g < 60 && b < 60) > 100, "the letters are missing");
    }
}
