//! The browser's code: cargo compiles it, wasm-bindgen makes a WASM and a JavaScript file of it, wasm-opt shrinks it.

use std::{path::Path, process::Command, time::Instant};

use wasm_bindgen_cli_support::Bindgen;

use crate::{
    Outcome, needs, process,
    site::digest,
    workspace::{Workspace, create_folder, read, remove_folder, write},
};

/// Everything that current browsers know and rustc uses; without these wasm-opt refuses the file.
const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// How much care goes into the files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Quick to make.
    Debug,
    /// Small to send.
    Release,
}

/// What the browser loads to bring the islands to life.
pub struct Browser {
    /// The JavaScript half.
    pub js: Vec<u8>,
    /// The WASM half.
    pub wasm: Vec<u8>,
    /// Whether wasm-opt shrank it.
    pub optimized: bool,
}

/// Compiles the app for the browser; work whose input did not change is taken from the scratch folder.
pub fn build(workspace: &Workspace, build: Build) -> Outcome<Browser> {
    needs::wasm_target(workspace)?;
    let (profile, folder) = match build {
        Build::Debug => ("dev", "debug"),
        Build::Release => ("wasm-release", "wasm-release"),
    };
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root).args(["build", "--package", "app", "--lib", "--profile", profile]);
    cargo.args(["--target", needs::WASM_TARGET, "--no-default-features", "--features", "hydrate"]);
    process::run(&mut cargo)?;
    let compiled = workspace.target.join(needs::WASM_TARGET).join(folder).join("app.wasm");
    let wasm_opt = if build == Build::Release { optimizer(workspace)? } else { None };
    let optimized = wasm_opt.is_some();

    let scratch = workspace.scratch().join(format!("browser-{folder}"));
    let stamp_file = scratch.join("stamp");
    let options = format!("{profile} wasm-opt={optimized} {WASM_OPT:?}");
    let stamp = digest([read(&compiled)?.as_slice(), options.as_bytes()]);
    if std::fs::read_to_string(&stamp_file).ok().as_deref() != Some(stamp.as_str()) {
        remove_folder(&scratch)?;
        create_folder(&scratch)?;
        bind(&compiled, &scratch, build)?;
        if let Some(wasm_opt) = wasm_opt {
            wasm_opt.shrink(&scratch.join("plumbline_bg.wasm"))?;
        }
        write(&stamp_file, stamp)?;
    }
    Ok(Browser { js: read(&scratch.join("plumbline.js"))?, wasm: read(&scratch.join("plumbline_bg.wasm"))?, optimized })
}

/// Runs wasm-bindgen, as a library: its version is then the one in `Cargo.lock`, which must equal the app's.
fn bind(compiled: &Path, folder: &Path, build: Build) -> Outcome {
    let failed = |error| format!("wasm-bindgen: {error:#}");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(compiled).out_name("plumbline").typescript(false);
    // The page names the WASM file itself, with its hash.
    bindgen.omit_default_module_path(true);
    bindgen.remove_name_section(build == Build::Release).remove_producers_section(build == Build::Release);
    bindgen.web(true).map_err(failed)?.generate(folder).map_err(failed)?;
    if folder.join("snippets").exists() {
        return Err("a crate of the browser build brings JavaScript snippets, which the server does not serve".into());
    }
    Ok(())
}

/// wasm-opt from npm, where Node is present.
struct Optimizer {
    program: std::path::PathBuf,
}

fn optimizer(workspace: &Workspace) -> Outcome<Option<Optimizer>> {
    let skipped = |reason: String| {
        println!("wasm-opt is skipped, the browser's code will be larger than it should: {reason}");
        Ok(None)
    };
    if let Err(reason) = needs::node() {
        return skipped(reason);
    }
    let folder = workspace.scratch().join("binaryen");
    create_folder(&folder)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        write(&folder.join(name), read(&workspace.root.join("xtask/binaryen").join(name))?)?;
    }
    if let Err(reason) = needs::npm_packages(&folder) {
        return skipped(format!("its npm package cannot be installed: {reason}"));
    }
    Ok(Some(Optimizer { program: folder.join("node_modules/.bin/wasm-opt") }))
}

impl Optimizer {
    fn shrink(&self, file: &Path) -> Outcome {
        let start = Instant::now();
        let before = read(file)?.len();
        let smaller = file.with_extension("opt");
        process::run(Command::new(&self.program).args(WASM_OPT).arg(file).arg("-o").arg(&smaller))?;
        std::fs::rename(&smaller, file).map_err(|error| format!("cannot replace {}: {error}", file.display()))?;
        let (before, after) = (before / 1000, read(file)?.len() / 1000);
        println!("wasm-opt: {before} kB → {after} kB in {:.0} s", start.elapsed().as_secs_f32());
        Ok(())
    }
}
