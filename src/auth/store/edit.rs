//! Edits the credentials file: prepared beforehand, recovered after a crash, and without losing other programs' data.

use std::fs;
use std::io;

use super::contents::{Contents, CredentialKind};
use super::document::Document;
use super::format::StoreFormat;
use super::lock::Lock;
use super::replace::{self, Prepared};
use super::{CredentialStore, Error, ReadOutcome, renewal_memory};
use crate::auth::signed_in::SignedIn;
use crate::secret::Secret;

/// An edit of the file.
#[derive(Debug)]
pub enum StoreEdit<'a> {
    /// New tokens for the same sign-in, and the refresh token that was spent for them.
    Renew(&'a SignedIn, &'a Secret),
    /// A new sign-in.
    SignIn(&'a SignedIn),
    /// A new API key.
    Key(&'a Secret),
    /// Removes the sign-in.
    RemoveSignIn,
    /// Removes the API key.
    RemoveKey,
}

impl StoreEdit<'_> {
    /// Returns the place that it changes; `None` for a renewal, which only replaces the tokens that it read there.
    fn place(&self) -> Option<CredentialKind> {
        match self {
            Self::Renew(..) => None,
            Self::SignIn(_) | Self::RemoveSignIn => Some(CredentialKind::SignIn),
            Self::Key(_) | Self::RemoveKey => Some(CredentialKind::Key),
        }
    }
}

/// The outcome of an edit.
#[derive(Debug)]
pub enum EditOutcome {
    /// The edit was written.
    Done,
    /// The renewal came too late: a program that ignores the lock has stored this meanwhile.
    Other(Box<Contents>),
}

impl CredentialStore {
    /// Prepares the replacement of the file so that only the rename can fail later: creates the new file with its
    /// mode and allocates its space. `spent` is the refresh token about to be spent.
    ///
    /// # Errors
    /// If there is no space, or the directory is not writable.
    pub fn prepare(&self, spent: Option<&Secret>) -> Result<Prepared, Error> {
        let token_name = spent.map(renewal_memory::name).unwrap_or_default();
        let slot = self.slot.as_ref().ok_or(io::ErrorKind::NotFound.into());
        slot.and_then(|slot| Prepared::new(slot, &self.file, &token_name))
            .map_err(|error| Error::Unwritable(self.named.clone(), error))
    }

    /// Recovers the tokens that a killed process prepared but did not rename into place, if the file still holds the
    /// token spent for them. Other leftovers are removed.
    ///
    /// # Errors
    /// If they cannot be stored. The leftover then stays.
    pub fn recover(&self, lock: &Lock, now: u64) -> Result<(), Error> {
        let leftovers = replace::leftovers(&self.file, lock);
        if leftovers.is_empty() {
            return Ok(());
        }
        // If the file is unreadable or missing, a leftover cannot be matched, so nothing is touched.
        let found = self.find()?;
        if found.blank {
            return Ok(());
        }
        let here = found.contents.sign_in.and_then(Result::ok);
        let spent = here.as_ref().and_then(|here| here.refresh.as_ref());
        for leftover in leftovers {
            if let (Some(here), Some(spent)) = (&here, spent)
                && renewal_memory::name(spent) == leftover.token_name
            {
                let text = fs::read_to_string(&leftover.path)
                    .map_err(|error| Error::Unreadable(leftover.path.clone(), error))?;
                // A file that was only prepared contains blanks.
                let left = Document::read(&text).ok();
                let left = left
                    .and_then(|left| Contents::read(StoreFormat::of(&left), &left).sign_in?.ok());
                if let Some(left) = left.filter(|left| left.account == here.account) {
                    let edits = [StoreEdit::Renew(&left, spent)];
                    self.replace(self.prepare(None)?, lock, &edits, now)?;
                    let _ = fs::remove_file(leftover.path);
                    continue;
                }
            }
            if leftover.is_abandoned {
                let _ = fs::remove_file(leftover.path);
            }
        }
        Ok(())
    }

    /// Applies the edits and replaces the file; `now` is in Unix seconds.
    ///
    /// # Errors
    /// If the file cannot be read, parsed or written, or holds another program's entry in the place. Renewed tokens
    /// then stay in a file next to it, for `recover`.
    pub fn replace(
        &self,
        prepared: Prepared,
        lock: &Lock,
        edits: &[StoreEdit<'_>],
        now: u64,
    ) -> Result<EditOutcome, Error> {
        let _more = lock.for_writing();
        let renewal = edits.iter().find_map(|edit| match edit {
            StoreEdit::Renew(_, spent) => Some(*spent),
            _ => None,
        });
        // A malformed file is not overwritten, and a missing one may come back.
        let (found, unusable) = match self.find() {
            Ok(found) if found.blank && renewal.is_some() => {
                let gone = Error::Blank(self.named.clone());
                (found, Some(gone))
            }
            Ok(found) => (found, None),
            Err(error) => (self.empty_outcome(), Some(error)),
        };
        let ReadOutcome {
            mut document,
            line_end,
            contents,
            ..
        } = found;
        // Another sign-in is not overwritten either, and a sign-out is not undone.
        if let (Some(spent), None) = (renewal, &unusable) {
            match &contents.sign_in {
                Some(Ok(here)) if here.refresh.as_ref() == Some(spent) => {}
                _ => return Ok(EditOutcome::Other(Box::new(contents))),
            }
        }
        // Another program's entry is neither overwritten nor removed.
        let taken = edits.iter().find_map(|edit| contents.other(edit.place()?));
        if let (Some(other), None) = (taken, &unusable) {
            return Err(Error::NotOurs(self.named.clone(), other.clone()));
        }
        let format = contents.format;
        for edit in edits {
            match edit {
                StoreEdit::Renew(signed_in, _) => format.set_sign_in(&mut document, signed_in, now),
                StoreEdit::SignIn(signed_in) => {
                    format.set_sign_in(&mut document, signed_in, now);
                    format.begin_sign_in(&mut document, signed_in);
                }
                StoreEdit::Key(key) => format.set_key(&mut document, key),
                StoreEdit::RemoveSignIn => format.remove_sign_in(&mut document),
                StoreEdit::RemoveKey => format.remove_key(&mut document),
            }
        }
        let mut text = document.text(0);
        if line_end {
            text.push('\n');
        }
        if let Some(error) = unusable {
            let _ = prepared.keep(text.as_bytes());
            return Err(error);
        }
        // pi leaves an empty object; the official client would take one for a sign-in.
        let pi = self.foreign && format == StoreFormat::Entries;
        let replaced = if document.is_empty() && !pi {
            prepared.remove()
        } else {
            prepared.commit(text.as_bytes())
        };
        replaced.map_err(|error| Error::Unwritable(self.named.clone(), error))?;
        Ok(EditOutcome::Done)
    }
}
