//! A list to choose from: of models, of efforts, or of stored conversations. Typing narrows it.

use crate::chat::key::{Key, KeyPress};

/// The rows that a page moves by.
const PAGE: usize = 8;

/// The longest text that narrows a list, in bytes.
const MAX_FILTER_BYTES: usize = 200;

/// What is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListChoice {
    Model(String),
    Effort(String),
    Conversation(String),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// What is shown.
    pub label: String,
    pub choice: ListChoice,
    /// It is in use.
    pub is_current: bool,
}

/// The list on the screen.
#[derive(Debug)]
pub struct ChoiceList {
    /// What the list is of.
    pub title: &'static str,
    entries: Vec<ListEntry>,
    filter: String,
    /// Among the entries that the filter leaves.
    selected: usize,
}

/// What became of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum ListStep {
    /// The list remains.
    Open,
    /// The list is left without a choice.
    Closed,
    Chosen(ListChoice),
}

impl ChoiceList {
    /// A list with one entry selected.
    #[must_use]
    pub fn new(title: &'static str, entries: Vec<ListEntry>, selected: usize) -> Self {
        Self {
            title,
            entries,
            filter: String::new(),
            selected,
        }
    }

    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The entries that the filter leaves.
    #[must_use]
    pub fn entries(&self) -> Vec<&ListEntry> {
        let words = self.filter.to_lowercase();
        let fits = |entry: &&ListEntry| entry.label.to_lowercase().contains(&words);
        self.entries.iter().filter(fits).collect()
    }

    /// The selected one among them.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyPress) -> ListStep {
        let last = self.entries().len().saturating_sub(1);
        match (key.key, key.ctrl || key.alt) {
            (Key::Escape, _) => return ListStep::Closed,
            (Key::Enter, _) => {
                let entries = self.entries();
                if let Some(entry) = entries.get(self.selected) {
                    return ListStep::Chosen(entry.choice.clone());
                }
            }
            (Key::Up, _) => self.selected = self.selected.saturating_sub(1),
            (Key::Down, _) => self.selected = (self.selected + 1).min(last),
            (Key::PageUp, _) => self.selected = self.selected.saturating_sub(PAGE),
            (Key::PageDown, _) => self.selected = (self.selected + PAGE).min(last),
            (Key::Home, _) => self.selected = 0,
            (Key::End, _) => self.selected = last,
            (Key::Backspace, _) => {
                self.filter.pop();
                self.selected = 0;
            }
            (Key::Char(c), false) => self.narrow(c.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        ListStep::Open
    }

    /// Adds to the text that narrows the list.
    pub fn narrow(&mut self, text: &str) {
        let text = text.lines().next().unwrap_or_default();
        if self.filter.len() + text.len() <= MAX_FILTER_BYTES {
            self.filter.push_str(text);
            self.selected = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_a_list_and_enter_chooses() {
        let entry = |id: &str| ListEntry {
            label: id.to_uppercase(),
            choice: ListChoice::Model(id.into()),
            is_current: false,
        };
        let mut list = ChoiceList::new("models", vec![entry("ab"), entry("bc"), entry("cb")], 1);
        let press = |list: &mut ChoiceList, key| list.press(KeyPress::plain(key));
        assert_eq!(press(&mut list, Key::Down), ListStep::Open);
        press(&mut list, Key::Down);
        assert_eq!(list.selected(), 2);
        press(&mut list, Key::Char('b'));
        press(&mut list, Key::Char('c'));
        assert_eq!(list.entries().len(), 1);
        let chosen = press(&mut list, Key::Enter);
        assert_eq!(chosen, ListStep::Chosen(ListChoice::Model("bc".into())));
        list.narrow("x\ny");
        assert_eq!(press(&mut list, Key::Enter), ListStep::Open);
        assert_eq!(press(&mut list, Key::End), ListStep::Open);
        assert_eq!(list.filter(), "bcx");
        assert_eq!(press(&mut list, Key::Escape), ListStep::Closed);
    }
}
