//! Which rows of the transcript are shown. The view follows the end until the user scrolls away from it, and then stays where
//! it is whatever is added.

/// The view of the transcript.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// The first row that is shown.
    top: usize,
    /// Whether the view has left the end.
    away: bool,
    /// The number of rows of the transcript, and of those that fit on the screen.
    total: usize,
    height: usize,
}

impl View {
    /// The first row that is shown.
    #[must_use]
    pub fn top(&self) -> usize {
        self.top
    }

    /// The number of rows that fit on the screen.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether the view has left the end.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away
    }

    /// The row after the last one that is shown.
    #[must_use]
    pub fn bottom(&self) -> usize {
        (self.top + self.height).min(self.total)
    }

    /// The number of rows below the view.
    #[must_use]
    pub fn below(&self) -> usize {
        self.total - self.bottom()
    }

    /// The transcript has this many rows now, and this many fit.
    pub fn lay_out(&mut self, total: usize, height: usize) {
        (self.total, self.height) = (total, height);
        self.go(if self.away { self.top } else { self.end() });
    }

    /// Rows before the view were added or removed, so that what it shows begins with this row now.
    pub fn moved_to(&mut self, top: usize) {
        self.top = top;
    }

    /// Stays where it is, even at the end.
    pub fn stay(&mut self) {
        self.away = true;
    }

    /// Scrolls by screens, keeping one row.
    pub fn page(&mut self, up: bool) {
        let rows = self.height.saturating_sub(1).max(1);
        self.go(if up {
            self.top.saturating_sub(rows)
        } else {
            self.top + rows
        });
    }

    /// Scrolls to the beginning.
    pub fn rewind(&mut self) {
        self.go(0);
    }

    /// Scrolls to the end and follows it.
    pub fn follow(&mut self) {
        self.go(self.end());
    }

    /// Scrolls to this row if it is not shown: it is then in the middle.
    pub fn show(&mut self, row: usize) {
        if row < self.top || row >= self.bottom() {
            self.go(row.saturating_sub(self.height / 2));
        }
    }

    /// Scrolls up to this row if it is above the view.
    pub fn show_from(&mut self, row: usize) {
        self.go(self.top.min(row));
    }

    fn end(&self) -> usize {
        self.total.saturating_sub(self.height)
    }

    fn go(&mut self, top: usize) {
        self.top = top.min(self.end());
        self.away = self.top < self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_do_not_pull_a_view_that_has_left_the_end() {
        let mut view = View::default();
        view.lay_out(100, 10);
        assert_eq!((view.top(), view.below()), (90, 0));
        view.lay_out(120, 10);
        assert_eq!(view.top(), 110);
        view.page(true);
        view.lay_out(150, 10);
        assert_eq!((view.top(), view.below()), (101, 39));
        view.page(false);
        view.lay_out(151, 10);
        assert_eq!(view.top(), 110);
        view.follow();
        view.lay_out(160, 10);
        assert_eq!(view.top(), 150);
        view.rewind();
        view.lay_out(170, 10);
        assert_eq!(view.top(), 0);
        view.show(9);
        assert_eq!(view.top(), 0);
        view.show(50);
        assert_eq!(view.top(), 45);
        view.lay_out(20, 10);
        assert_eq!(view.top(), 10);
        view.lay_out(30, 10);
        assert_eq!(view.top(), 20, "it follows the end again");
        view.stay();
        view.lay_out(40, 10);
        assert_eq!(view.top(), 20);
        view.lay_out(0, 0);
        assert_eq!((view.top(), view.bottom(), view.below()), (0, 0, 0));
    }
}
