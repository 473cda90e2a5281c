//! One file by HTTP, resumed where it was cut off (RFC 9110 section 14).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_RANGE, RANGE};

use super::super::store::size;
use super::super::{Error, Settings};

/// Read and written at once.
const BLOCK_BYTES: usize = 1 << 18;

/// What is wanted, and by whom.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) settings: &'a Settings,
    pub(super) url: &'a str,
    /// How many bytes there will be, if that is known.
    pub(super) bytes: Option<u64>,
}

/// What one try came to that may be tried again.
struct CutOff(String);

impl Download<'_> {
    /// Fills `part`, trying as often as the settings say. Each try goes on where the last one ended; a try that
    /// brought something does not count.
    pub(super) fn run(&self, part: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<(), Error> {
        let mut fruitless = 0;
        loop {
            let before = size(part).unwrap_or(0);
            if before > 0 && self.bytes == Some(before) {
                return Ok(());
            }
            let Err(CutOff(why)) = self.attempt(part, before, progress)? else { return Ok(()) };
            fruitless = if size(part).unwrap_or(0) > before { 0 } else { fruitless + 1 };
            if fruitless >= self.settings.attempts_max {
                let host = self.url.split('/').nth(2).unwrap_or(self.url).to_owned();
                return Err(Error::Network { host, why, folder: self.settings.folder.clone() });
            }
            let doubled = self.settings.retry_ms.saturating_mul(1 << fruitless.min(10));
            std::thread::sleep(Duration::from_millis(doubled));
        }
    }

    fn attempt(
        &self,
        part: &Path,
        have: u64,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Result<(), CutOff>, Error> {
        let mut request = self.client.get(self.url);
        if have > 0 {
            request = request.header(RANGE, format!("bytes={have}-"));
        }
        let response = match request.send() {
            Ok(response) => response,
            Err(why) => return Ok(Err(CutOff(root(&why)))),
        };
        let (start, all) = match response.status() {
            StatusCode::OK => (0, response.content_length()),
            StatusCode::PARTIAL_CONTENT => match content_range(&response) {
                Some((start, all)) if start == have => (have, all),
                // Another piece than was asked for: the whole file is asked for next.
                _ => return self.start_over(part, "the server sent another range than was asked for"),
            },
            StatusCode::RANGE_NOT_SATISFIABLE => {
                return self.start_over(part, "the part was longer than the file");
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Ok(Err(CutOff(format!("it answers {status}"))));
            }
            status => {
                return Err(Error::Refused {
                    url: self.url.to_owned(),
                    status: status.as_u16(),
                    hint: hint(status),
                });
            }
        };
        self.receive(response, part, start, self.bytes.or(all), progress)
    }

    fn receive(
        &self,
        mut response: Response,
        part: &Path,
        start: u64,
        all: Option<u64>,
        progress: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<Result<(), CutOff>, Error> {
        let disk = |here: u64, why: std::io::Error| match why.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::Full {
                folder: self.settings.folder.clone(),
                needed_bytes: all.map_or(0, |all| all.saturating_sub(here)),
            },
            _ => Error::File { path: part.to_owned(), why },
        };
        let mut file = open(part, start).map_err(|why| disk(start, why))?;
        let mut here = start;
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            let read = match response.read(&mut block) {
                Ok(0) => break,
                Ok(read) => read,
                Err(why) => return Ok(Err(CutOff(root(&why)))),
            };
            file.write_all(block.get(..read).unwrap_or_default()).map_err(|why| disk(here, why))?;
            here += read as u64;
            progress(here, all);
        }
        match all {
            Some(all) if here < all => Ok(Err(CutOff(format!("it ended after {here} of {all} bytes")))),
            _ => Ok(Ok(())),
        }
    }

    fn start_over(&self, part: &Path, why: &str) -> Result<Result<(), CutOff>, Error> {
        std::fs::remove_file(part).map_err(|why| Error::File { path: part.to_owned(), why })?;
        Ok(Err(CutOff(why.to_owned())))
    }
}

/// The part, ready for the byte at `start`.
fn open(part: &Path, start: u64) -> std::io::Result<File> {
    if start == 0 {
        return File::create(part);
    }
    OpenOptions::new().append(true).open(part)
}

/// `bytes 5-9/10`: the first byte, and how many there are.
fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
    let text = response.headers().get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, all) = text.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, all.parse().ok()))
}

fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => {
            "the model's licence may have to be accepted on its page first; then copy its files here"
        }
        404 | 410 => "the file is not there; another version of this program may know where it is",
        _ => "the server did not say why",
    }
}

/// The innermost reason: "connection refused" rather than "error sending request".
fn root(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
