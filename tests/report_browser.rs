//! Reports in a browser, Chromium without a window: the console is told nothing, no page is wider than a window of 400 or 1400 pixels, and
//! every text can be read on what is behind it, in light and in dark.
//!
//! Contrast is that of the WCAG 2.2: 4.5 to 1.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const FILES: [&str; 3] = ["quickstart", "24-contrastive-behaviour", "08-objexmt"];
const WIDTHS: [u64; 2] = [400, 1400];

/// The program, by one of its names; on a machine that must check pages, `CI` is set, and nothing is skipped.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "the pages are not checked: there is no Chromium");
        eprintln!("SKIPPED: the pages are not checked: there is no Chromium");
    }
    found
}

/// The page of a quick run, with scripts that measure it.
fn page(name: &str, folder: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = folder.join(format!("{name}.html"));
    let output = Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .current_dir(root)
        .args(["run", &format!("experiments/{name}.anz"), "--quick", "--quiet", "--backend", "cpu", "--html"])
        .arg(&path)
        .arg("--runs")
        .arg(folder.join("runs"))
        .output()
        .expect("the program starts");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let script = |name: &str| {
        let text = std::fs::read_to_string(root.join("tests/browser").join(name)).expect("a script");
        format!("<script>{text}</script>")
    };
    let text = text.replacen("<head>", &format!("<head>{}", script("before.js")), 1);
    let text = text.replacen("</body>", &format!("{}</body>", script("after.js")), 1);
    assert_eq!(text.matches("<script>").count(), 2, "the scripts found no place");
    std::fs::write(&path, text).expect("the page can be written");
    path
}

/// What the page says of itself in a frame of this width.
fn measured(browser: &str, page: &Path, width: u64, dark: bool, folder: &Path) -> Value {
    let frame = folder.join("frame.html");
    let text = format!(
        "<body><iframe src=\"file://{}\" style=\"width: {width}px; height: 900px; border: 0\"></iframe><pre></pre>\
         <script>onmessage = (event) => (document.querySelector('pre').textContent = event.data)</script></body>",
        page.display()
    );
    std::fs::write(&frame, text).expect("the frame can be written");
    let mut command = Command::new(browser);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
    command.args(["--window-size=1500,1000", "--virtual-time-budget=10000", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    if dark {
        command.arg("--force-dark-mode");
    }
    let output = command.arg(format!("file://{}", frame.display())).output().expect("the browser starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>"));
    let found = found.map(|(found, _)| found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
    let found =
        found.unwrap_or_else(|| panic!("no answer: {text}{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

#[test]
fn pages_are_readable_at_every_width_in_light_and_dark() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut wrong = Vec::new();
    for name in FILES {
        let page = page(name, folder.path());
        for width in WIDTHS {
            for dark in [false, true] {
                let found = measured(browser, &page, width, dark, folder.path());
                assert_eq!((&found["width"], &found["dark"]), (&width.into(), &dark.into()), "{found}");
                assert!(found["texts"].as_u64() > Some(50), "the texts are no longer found: {found}");
                let is_wide = found["wide"].as_u64() > Some(width);
                let list = |key: &str| found[key].as_array().is_none_or(|list| !list.is_empty());
                if is_wide || list("said") || list("faint") {
                    wrong.push(format!("{name}: {found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
