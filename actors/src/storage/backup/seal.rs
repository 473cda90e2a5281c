//! Sealed chunks: none can be changed, moved, swapped, repeated or left off the end unnoticed.

use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::fill;

use super::key::{KeySource, ROUNDS};
use super::{Error, Result};

/// What a backup begins with; a version and a line's end follow.
const NAME: &[u8] = b"strowger backup ";
const VERSION: &[u8] = b"1\n";
const HEADING_BYTES: usize = NAME.len() + VERSION.len() + 1 + 4 + 32;

/// The most that one chunk holds, in bytes.
const CHUNK_BYTES: usize = 1 << 20;

struct Seal {
    key: LessSafeKey,
    heading: Vec<u8>,
    next: u64,
}

impl Seal {
    fn new(heading: Vec<u8>, source: &KeySource) -> Result<Self> {
        let (salt, rounds) = salt_and_rounds(&heading).ok_or(Error::Cut)?;
        let key = source.key(&salt, rounds)?;
        let key = UnboundKey::new(&AES_256_GCM, &key)
            .map_err(|_| Error::Stopped { why: "the system has no cipher".to_owned() })?;
        Ok(Self { key: LessSafeKey::new(key), heading, next: 0 })
    }

    /// A nonce is used once: the key is the file's own.
    fn next(&mut self, is_last: bool) -> (Nonce, Aad<Vec<u8>>) {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&self.next.to_be_bytes());
        let mut bound = self.heading.clone();
        bound.extend(self.next.to_be_bytes());
        bound.push(u8::from(is_last));
        self.next += 1;
        (Nonce::assume_unique_for_key(nonce), Aad::from(bound))
    }
}

fn salt_and_rounds(heading: &[u8]) -> Option<([u8; 32], u32)> {
    let rest = heading.get(NAME.len() + VERSION.len() + 1..)?;
    let (rounds, salt) = rest.split_first_chunk::<4>()?;
    Some((salt.try_into().ok()?, u32::from_le_bytes(*rounds)))
}

/// Seals what is written to it.
pub(super) struct Sealing<W> {
    to: W,
    seal: Seal,
    chunk: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Begins a backup.
    pub(super) fn begin(mut to: W, source: &KeySource) -> Result<Self> {
        let mut salt = [0; 32];
        fill(&mut salt).map_err(|_| Error::Stopped { why: "the system gave no randomness".to_owned() })?;
        let heading = [NAME, VERSION, &[source.kind()], &ROUNDS.to_le_bytes(), &salt].concat();
        let seal = Seal::new(heading.clone(), source)?;
        to.write_all(&heading).map_err(|error| Error::Stopped { why: error.to_string() })?;
        Ok(Self { to, seal, chunk: Vec::with_capacity(CHUNK_BYTES) })
    }

    fn put_chunk(&mut self, is_last: bool) -> io::Result<()> {
        let mut chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        let (nonce, bound) = self.seal.next(is_last);
        self.seal
            .key
            .seal_in_place_append_tag(nonce, bound, &mut chunk)
            .map_err(|_| io::Error::other("it could not be sealed"))?;
        self.to.write_all(&[u8::from(is_last)])?;
        self.to.write_all(&u32::try_from(chunk.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        self.to.write_all(&chunk)
    }

    /// Ends the backup, and gives back what it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.put_chunk(true)?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES - self.chunk.len();
        let taken = bytes.len().min(room);
        self.chunk.extend(bytes.get(..taken).unwrap_or_default());
        if self.chunk.len() == CHUNK_BYTES {
            self.put_chunk(false)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what is read from it.
pub(super) struct Opening<R> {
    from: R,
    seal: Seal,
    chunk: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Opening<R> {
    /// Reads a backup's heading. `None` where it is no backup.
    pub(super) fn begin(mut from: R, source: &KeySource) -> Result<Option<Self>> {
        let mut heading = Vec::new();
        let stopped = |error: io::Error| Error::Stopped { why: error.to_string() };
        from.by_ref().take(HEADING_BYTES as u64).read_to_end(&mut heading).map_err(stopped)?;
        let Some(rest) = heading.strip_prefix(NAME) else { return Ok(None) };
        if rest.len() < VERSION.len() && VERSION.starts_with(rest) {
            return Err(Error::Cut);
        }
        if !rest.starts_with(VERSION) {
            let version = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return match std::str::from_utf8(version) {
                Ok(found) if !found.is_empty() && found.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Err(Error::Newer { found: found.to_owned() })
                }
                _ => Err(Error::Cut),
            };
        }
        match rest.get(VERSION.len()) {
            Some(kind) if *kind == source.kind() => {}
            Some(1) => return Err(wrong_kind(source, "a passphrase")),
            Some(2) => return Err(wrong_kind(source, "a key file")),
            Some(_) => return Err(Error::Altered { chunk: 0 }),
            None => return Err(Error::Cut),
        }
        let seal = Seal::new(heading, source)?;
        Ok(Some(Self { from, seal, chunk: Vec::new(), at: 0, is_over: false }))
    }

    /// Fills `bytes` from what was sealed.
    pub(super) fn read_exact(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            if self.at == self.chunk.len() && !self.next_chunk()? {
                return Err(Error::Cut);
            }
            let here = self.chunk.get(self.at..).unwrap_or_default();
            let length = here.len().min(bytes.len());
            let (now, later) = bytes.split_at_mut(length);
            now.copy_from_slice(here.get(..length).unwrap_or_default());
            (self.at, bytes) = (self.at + length, later);
        }
        Ok(())
    }

    /// Whether all was read, and nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        while self.at == self.chunk.len() {
            if !self.next_chunk()? {
                let mut more = [0];
                let read = self.from.read(&mut more).unwrap_or(0);
                return if read == 0 { Ok(true) } else { Err(Error::Altered { chunk: self.seal.next }) };
            }
        }
        Ok(false)
    }

    fn next_chunk(&mut self) -> Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        let number = self.seal.next;
        let mut frame = [0; 5];
        self.fill(&mut frame)?;
        let [last, length @ ..] = frame;
        let length = u32::from_le_bytes(length) as usize;
        if last > 1 || !(MAX_TAG_LEN..=CHUNK_BYTES + MAX_TAG_LEN).contains(&length) {
            return Err(Error::Altered { chunk: number });
        }
        let mut chunk = vec![0; length];
        self.fill(&mut chunk)?;
        let (nonce, bound) = self.seal.next(last == 1);
        let opened = self.seal.key.open_in_place(nonce, bound, &mut chunk);
        let length = opened.map_err(|_| Error::Altered { chunk: number })?.len();
        chunk.truncate(length);
        (self.chunk, self.at, self.is_over) = (chunk, 0, last == 1);
        Ok(true)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Cut,
            _ => Error::Stopped { why: error.to_string() },
        })
    }
}

fn wrong_kind(source: &KeySource, kind: &str) -> Error {
    let (KeySource::Passphrase(path) | KeySource::KeyFile(path)) = source;
    Error::Key { path: path.clone(), why: format!("the backup was made with {kind}; name that") }
}
