//! Changing the file: made ready before, recovered after, and nothing of anybody else's lost in between.

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

/// A change of the file.
#[derive(Debug)]
pub enum StoreEdit<'a> {
    /// The same sign-in with new tokens, for which this refresh token was spent.
    Renew(&'a SignedIn, &'a Secret),
    /// A new sign-in.
    SignIn(&'a SignedIn),
    /// A key.
    Key(&'a Secret),
    /// No sign-in any more.
    RemoveSignIn,
    /// No key any more.
    RemoveKey,
}

impl StoreEdit<'_> {
    /// The place that it changes; a renewal changes nothing but tokens that it has seen there.
    fn place(&self) -> Option<CredentialKind> {
        match self {
            Self::Renew(..) => None,
            Self::SignIn(_) | Self::RemoveSignIn => Some(CredentialKind::SignIn),
            Self::Key(_) | Self::RemoveKey => Some(CredentialKind::Key),
        }
    }
}

/// What became of an edit.
#[derive(Debug)]
pub enum EditOutcome {
    /// It is in the file.
    Done,
    /// A renewal came too late: somebody who does not keep to the lock has put this there meanwhile.
    Other(Box<Contents>),
}

impl CredentialStore {
    /// Makes ready what will replace the file, so that nothing can fail later but the rename: the new file is
    /// there, with its mode, and its space is written. `spent` is the refresh token that is to be spent for it.
    ///
    /// # Errors
    /// When there is no space, or nothing may be written here.
    pub fn prepare(&self, spent: Option<&Secret>) -> Result<Prepared, Error> {
        let mark = spent.map(renewal_memory::name).unwrap_or_default();
        let slot = self.slot.as_ref().ok_or(io::ErrorKind::NotFound.into());
        slot.and_then(|slot| Prepared::new(slot, &self.file, &mark))
            .map_err(|error| Error::Unwritable(self.named.clone(), error))
    }

    /// Takes over what the last holder of the lock had made ready and could not put into place any more, because
    /// it was killed: the successor of just the token that the file still holds. Anything else that was left is
    /// removed.
    ///
    /// # Errors
    /// When it cannot be put into place either. It stays where it is then.
    pub fn recover(&self, lock: &Lock, now: u64) -> Result<(), Error> {
        let leftovers = replace::leftovers(&self.file, lock);
        if leftovers.is_empty() {
            return Ok(());
        }
        // Where the file cannot be read, or is not there, nobody can tell, and nothing is touched.
        let found = self.find()?;
        if found.blank {
            return Ok(());
        }
        let here = found.contents.sign_in.and_then(Result::ok);
        let spent = here.as_ref().and_then(|here| here.refresh.as_ref());
        for leftover in leftovers {
            if let (Some(here), Some(spent)) = (&here, spent)
                && renewal_memory::name(spent) == leftover.mark
            {
                let text = fs::read_to_string(&leftover.path)
                    .map_err(|error| Error::Unreadable(leftover.path.clone(), error))?;
                // What was only begun is blanks.
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
            if leftover.over {
                let _ = fs::remove_file(leftover.path);
            }
        }
        Ok(())
    }

    /// Replaces the file by what these edits make of it; `now` is in Unix seconds.
    ///
    /// # Errors
    /// When it cannot be read, makes no sense, holds what is not ours in the place, or cannot be written. What a renewal brought stays beside it then, for
    /// `recover`.
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
        // A file that makes no sense is not overwritten, and one that is gone may come back.
        let (found, unusable) = match self.find() {
            Ok(found) if found.blank && renewal.is_some() => {
                let gone = Error::Blank(self.named.clone());
                (found, Some(gone))
            }
            Ok(found) => (found, None),
            Err(error) => (self.nothing(), Some(error)),
        };
        let ReadOutcome {
            mut document,
            line_end,
            contents,
            ..
        } = found;
        // Nor is anybody's sign-in, and no sign-out is undone.
        if let (Some(spent), None) = (renewal, &unusable) {
            match &contents.sign_in {
                Some(Ok(here)) if here.refresh.as_ref() == Some(spent) => {}
                _ => return Ok(EditOutcome::Other(Box::new(contents))),
            }
        }
        // What another program keeps in a place of ours is neither written over nor removed.
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
        // pi leaves an empty object, the official client takes one for a sign-in.
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
