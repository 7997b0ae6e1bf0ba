//! What a run keeps for each worker, in memory that grows with the workers that have run, not with
//! those that are declared.

/// A value for each worker, in pages that are allocated when one of them is first written. The
/// others are `T::default()`.
#[derive(Clone, Default)]
pub(super) struct Pages<T, const PAGE: usize> {
    pages: Vec<Vec<T>>,
    n: usize,
}

impl<T: Clone + Default, const PAGE: usize> Pages<T, PAGE> {
    /// Room for `n` values.
    pub(super) fn new(n: usize) -> Self {
        Self { pages: vec![Vec::new(); n.div_ceil(PAGE)], n }
    }

    /// Makes room for `n` values, if there is less.
    pub(super) fn grow(&mut self, n: usize) {
        if n > self.n {
            self.n = n;
            self.pages.resize(n.div_ceil(PAGE), Vec::new());
        }
    }

    /// The value at `index`, if its page was written.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.pages[index / PAGE].get(index % PAGE)
    }

    /// The value at `index`, mutable, if its page was written.
    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.pages[index / PAGE].get_mut(index % PAGE)
    }

    /// The value at `index`, to write.
    #[inline]
    pub(super) fn at(&mut self, index: usize) -> &mut T {
        let page = index / PAGE;
        if index % PAGE >= self.pages[page].len() {
            self.allocate(page);
        }
        &mut self.pages[page][index % PAGE]
    }

    /// Allocates a page, or the rest of one. The last is as long as it must be.
    #[cold]
    fn allocate(&mut self, page: usize) {
        let len = (self.n - page * PAGE).min(PAGE);
        self.pages[page].resize(len, T::default());
    }

    /// Drops all values.
    pub(super) fn clear(&mut self) {
        self.pages.fill(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_allocated_when_they_are_written_and_grow_with_the_workers() {
        let mut pages = Pages::<u64, 8>::new(19);
        *pages.at(17) = 7;
        assert_eq!((pages.get(17), pages.get(18), pages.get(3)), (Some(&7), Some(&0), None));
        assert!(pages.get_mut(3).is_none());
        pages.grow(42);
        *pages.at(22) = 8;
        *pages.at(41) = 9;
        assert_eq!([17, 22, 41, 23].map(|at| pages.get(at).copied()), [7, 8, 9, 0].map(Some));
        pages.grow(3);
        assert_eq!(pages.get(41), Some(&9), "it never shrinks");
        pages.clear();
        assert_eq!((pages.get(17), pages.get(41)), (None, None));
    }
}
