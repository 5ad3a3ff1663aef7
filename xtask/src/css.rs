//! One minified style sheet from `style/main.css` and what it imports.

use std::path::Path;

use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions},
    targets::{Browsers, Targets},
};

use crate::{
    Outcome,
    workspace::{Workspace, files_below},
};

/// Browsers of the last two years. All of them know nesting, `oklch()`, `light-dark()` and container queries, so none of
/// these is rewritten into something longer.
const BROWSERS: Browsers = Browsers {
    chrome: Some(125 << 16),
    edge: Some(125 << 16),
    firefox: Some(128 << 16),
    safari: Some((17 << 16) | (5 << 8)),
    ios_saf: Some((17 << 16) | (5 << 8)),
    android: None,
    ie: None,
    opera: None,
    samsung: None,
};

/// The whole style sheet.
pub fn bundle(workspace: &Workspace) -> Outcome<String> {
    let main = workspace.root.join("style/main.css");
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler.bundle(&main).map_err(|error| format!("style: {error}"))?;
    let targets = Targets::from(BROWSERS);
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| format!("style cannot be minified: {error}"))?;
    let printed = sheet
        .to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() })
        .map_err(|error| format!("style cannot be printed: {error}"))?;
    Ok(printed.code)
}

/// The style files that `main.css` forgets to import, as its lines would read.
pub fn forgotten_imports(workspace: &Workspace) -> Outcome<Vec<String>> {
    let style = workspace.root.join("style");
    let main = String::from_utf8_lossy(&crate::workspace::read(&style.join("main.css"))?).into_owned();
    let css = |path: &Path| path.extension().is_some_and(|extension| extension == "css");
    let files = files_below(&style).into_iter().filter(|path| css(path));
    let names = files.filter_map(|path| path.strip_prefix(&style).ok().map(|name| name.display().to_string()));
    Ok(names.filter(|name| name != "main.css" && !main.contains(&format!("\"{name}\""))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_everything_and_leaves_modern_features_alone() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
        let workspace = Workspace { target: root.join("target"), root };
        let css = bundle(&workspace).unwrap();
        assert!(!css.contains("@import"));
        assert!(css.contains("light-dark(") && css.contains("oklch("));
        assert_eq!(forgotten_imports(&workspace).unwrap(), Vec::<String>::new());
    }
}
