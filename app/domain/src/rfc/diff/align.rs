//! Which parts of two sequences are the same, in time that grows with their length whatever they contain.

use std::collections::BTreeMap;
use std::ops::Range;

use imara_diff::{InternedInput, Token};

/// How many comparisons an item (a word, a line) may cost on average, for the search of the longest phrases.
const EFFORT: usize = 32;
/// The same for the quick search.
const QUICK_EFFORT: usize = 16;

/// Items in a row that both sequences have: where they start, and how many they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub old: usize,
    pub new: usize,
    pub len: usize,
}

/// The blocks two sequences share, in order.
///
/// Found the way a reader does it: the longest phrase in common first, then the longest ones before it and after it, and
/// so on (Ratcliff and Obershelp). An algorithm that keeps as many words as possible would scatter a rewritten sentence
/// over every "the" and comma of the new one. Parts that are long and repeat themselves are split at their rare items
/// first.
pub(super) fn blocks<T>(input: &InternedInput<T>) -> Vec<Block> {
    let mut alignment = Alignment::new(&input.before, &input.after, input.interner.num_tokens() as usize);
    alignment.run();
    alignment.found.retain(|block| block.len > 0);
    alignment.found.sort_unstable_by_key(|block| block.old);
    alignment.found
}

struct Alignment<'a> {
    old: &'a [Token],
    new: &'a [Token],
    /// Where each item occurs in `new`, by token.
    places: Vec<Vec<usize>>,
    /// The phrase that ends before each item of `new`: the row it was seen in and its length.
    ending: Vec<(usize, usize)>,
    /// Counts the items of `old` looked at.
    row: usize,
    /// Parts of both sides still to compare.
    open: Vec<(Range<usize>, Range<usize>)>,
    found: Vec<Block>,
}

impl<'a> Alignment<'a> {
    fn new(old: &'a [Token], new: &'a [Token], tokens: usize) -> Self {
        let mut places = vec![Vec::new(); tokens];
        for (at, token) in new.iter().enumerate() {
            places[token.0 as usize].push(at);
        }
        let (ending, open) = (vec![(0, 0); new.len() + 1], vec![(0..old.len(), 0..new.len())]);
        Self { old, new, places, ending, row: 0, open, found: Vec::new() }
    }

    fn run(&mut self) {
        let items = self.old.len() + self.new.len();
        let (mut effort, mut quick_effort) = (EFFORT * items, QUICK_EFFORT * items);
        while let Some((from, to)) = self.open.pop() {
            if from.is_empty() || to.is_empty() {
                continue;
            }
            let cost = from.clone().map(|at| 1 + self.places_of(at, &to).len()).sum();
            if let Some(left) = effort.checked_sub(cost) {
                effort = left;
                self.split_at_longest(&from, &to);
            } else if let Some(left) = quick_effort.checked_sub(from.len() + to.len()) {
                quick_effort = left;
                self.split_at_unique(&from, &to);
            }
        }
    }

    /// Where the item at `at` of the old side occurs in a part of the new one.
    fn places_of(&self, at: usize, to: &Range<usize>) -> &[usize] {
        within(&self.places[self.old[at].0 as usize], to)
    }

    /// Takes the longest phrase of a part, of several the first one.
    fn split_at_longest(&mut self, from: &Range<usize>, to: &Range<usize>) {
        let mut longest = Block::default();
        // A row that no phrase ends in, so that none goes on from an earlier part.
        self.row += 1;
        for at in from.clone() {
            self.row += 1;
            // From the right: the phrase before `place` still stems from the row before.
            for &place in within(&self.places[self.old[at].0 as usize], to).iter().rev() {
                let (row, len) = self.ending[place];
                let len = if row == self.row - 1 { len + 1 } else { 1 };
                self.ending[place + 1] = (self.row, len);
                if len > longest.len || (len == longest.len && longest.old + len == at + 1) {
                    longest = Block { old: at + 1 - len, new: place + 1 - len, len };
                }
            }
        }
        if longest.len > 0 {
            self.take(from, to, &[longest]);
        }
    }

    /// Takes the items that occur once on each side of a part and come in the same order (patience).
    fn split_at_unique(&mut self, from: &Range<usize>, to: &Range<usize>) {
        let mut seen: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for at in from.clone() {
            let (count, first) = seen.entry(self.old[at].0).or_insert((0, at));
            (*count, *first) = (*count + 1, at);
        }
        let mut pairs: Vec<(usize, usize)> = seen
            .into_values()
            .filter(|&(count, at)| count == 1 && self.places_of(at, to).len() == 1)
            .map(|(_, at)| (at, self.places_of(at, to)[0]))
            .collect();
        pairs.sort_unstable();
        let blocks: Vec<Block> =
            longest_rise(&pairs).into_iter().map(|(old, new)| Block { old, new, len: 1 }).collect();
        if !blocks.is_empty() {
            self.take(from, to, &blocks);
        }
    }

    /// Keeps blocks found in a part and opens what lies between them.
    fn take(&mut self, from: &Range<usize>, to: &Range<usize>, blocks: &[Block]) {
        let (mut old, mut new) = (from.start, to.start);
        for block in blocks {
            self.open.push((old..block.old, new..block.new));
            (old, new) = (block.old + block.len, block.new + block.len);
        }
        self.open.push((old..from.end, new..to.end));
        self.found.extend_from_slice(blocks);
    }
}

/// Those of some sorted places that lie in a part.
fn within<'p>(places: &'p [usize], part: &Range<usize>) -> &'p [usize] {
    &places[places.partition_point(|&place| place < part.start)..places.partition_point(|&place| place < part.end)]
}

/// The longest subsequence whose second numbers rise; the first numbers rise already.
fn longest_rise(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The pair that ends the best subsequence of each length, and the pair before each pair.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|&end| pairs[end].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        ends.truncate(ends.len().max(length));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut rise: Vec<_> = std::iter::successors(ends.last().copied(), |&at| before[at]).map(|at| pairs[at]).collect();
    rise.reverse();
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(old: &str, new: &str) -> Vec<String> {
        let mut input: InternedInput<&str> = InternedInput::default();
        input.update_before(old.split(' '));
        input.update_after(new.split(' '));
        let words: Vec<&str> = old.split(' ').collect();
        blocks(&input).iter().map(|block| words[block.old..block.old + block.len].join(" ")).collect()
    }

    #[test]
    fn the_longest_phrase_comes_first() {
        assert_eq!(shared("the a of b the old queue", "the old queue of the a"), ["the old queue"]);
        assert_eq!(shared("one two x three four", "one two y three four"), ["one two", "three four"]);
        assert!(shared("a b", "c d").is_empty());
    }

    #[test]
    fn the_longest_rise_skips_what_is_out_of_order() {
        assert_eq!(longest_rise(&[(0, 5), (1, 1), (2, 2), (3, 0), (4, 3)]), [(1, 1), (2, 2), (4, 3)]);
        assert_eq!(longest_rise(&[]), []);
    }

    #[test]
    fn long_repetitive_parts_are_split_at_what_occurs_once() {
        // Too much for the search of the longest phrase: every word is at a thousand places.
        let noise = "a ".repeat(4000);
        let (old, new) = (format!("{noise}KEY x {noise}END"), format!("b {noise}KEY y {noise}END"));
        assert!(shared(&old, &new).iter().any(|words| words.contains("KEY")));
    }
}
