//! The folder the server embeds: `plumbline-HASH.js`, `plumbline-HASH_bg.wasm`, `plumbline-HASH.css`, and in release
//! each also as `.br` and `.gz`.
//!
//! One hash for the three: they are built and delivered together, so one name tells the server all of them (it is
//! Leptos' `output_name`), and a browser may keep them for ever.

use std::{io::Write, path::Path};

use sha2::{Digest, Sha256};

use crate::{
    Outcome,
    wasm::{Browser, Build},
    workspace::{Workspace, create_folder, read, remove_folder, write},
};

/// What WASM and JavaScript may weigh together, brotli-compressed, in bytes.
const BROWSER_BAR: usize = 150_000;

/// Writes the folder, unless it already holds exactly this.
pub fn stage(workspace: &Workspace, browser: &Browser, css: &str, build: Build) -> Outcome {
    let folder = workspace.package();
    let hash = digest([browser.js.as_slice(), browser.wasm.as_slice(), css.as_bytes()]);
    let name = format!("plumbline-{}", &hash[..16]);
    let files = [
        (format!("{name}.js"), browser.js.as_slice()),
        (format!("{name}_bg.wasm"), browser.wasm.as_slice()),
        (format!("{name}.css"), css.as_bytes()),
    ];
    let stamp_file = workspace.root.join("target/site/stamp");
    let stamp = format!("{name} {}", if build == Build::Release { "release" } else { "debug" });
    if std::fs::read_to_string(&stamp_file).ok().as_deref() != Some(stamp.as_str()) {
        // Without a stamp a half-written folder is never taken for a whole one.
        let _ = std::fs::remove_file(&stamp_file);
        remove_folder(&folder)?;
        create_folder(&folder)?;
        for (name, content) in &files {
            write(&folder.join(name), content)?;
            if build == Build::Release {
                write(&folder.join(format!("{name}.br")), brotli(content)?)?;
                write(&folder.join(format!("{name}.gz")), gzip(content)?)?;
            }
        }
        if build == Build::Release {
            make_server_look_again(workspace)?;
        }
        write(&stamp_file, stamp)?;
    }
    if build == Build::Release { weigh(&folder, &name, browser.optimized) } else { Ok(()) }
}

/// Cargo rebuilds the server when an embedded file changes, but does not see that one appeared. Writing the file that
/// embeds them tells it. (A debug server reads the folder while it runs.)
fn make_server_look_again(workspace: &Workspace) -> Outcome {
    let source = workspace.root.join("server/src/assets.rs");
    write(&source, read(&source)?)
}

fn weigh(folder: &Path, name: &str, optimized: bool) -> Outcome {
    let size = |file: String| read(&folder.join(file)).map(|content| content.len());
    let wasm = size(format!("{name}_bg.wasm.br"))?;
    let js = size(format!("{name}.js.br"))?;
    let css = size(format!("{name}.css.br"))?;
    println!("Browser files, brotli: WASM {wasm} + JS {js} = {} bytes (bar {BROWSER_BAR}); CSS {css} bytes", wasm + js);
    // Without wasm-opt the bar says nothing about the code.
    if optimized && wasm + js > BROWSER_BAR {
        return Err(format!("WASM and JS weigh {} bytes, over the bar of {BROWSER_BAR}", wasm + js));
    }
    Ok(())
}

/// SHA-256 of the parts, each with its length before it, in hexadecimal.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn brotli(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters).map_err(|error| format!("brotli: {error}"))?;
    Ok(packed)
}

fn gzip(content: &[u8]) -> Outcome<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).map_err(|error| format!("gzip: {error}"))
}
