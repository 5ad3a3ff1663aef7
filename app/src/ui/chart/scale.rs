//! From numbers to places: round marks on an axis, and how far along it a number lies.

/// A scale from 0 to its last mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    marks: Vec<i64>,
}

impl Scale {
    /// The scale on which numbers up to `max` find room, with about `wanted` marks above 0, at whole and round numbers
    /// (1, 2 or 5 times a power of ten apart).
    pub(super) fn up_to(max: i64, wanted: i64) -> Self {
        let (max, wanted) = (max.max(1), wanted.max(1));
        let mut power = 1_i64;
        let step = loop {
            if let Some(step) = [1, 2, 5].into_iter().map(|times| power.saturating_mul(times)).find(|step| {
                // Rounded up: the last mark is not below the largest number.
                max.div_euclid(*step) + i64::from(max.rem_euclid(*step) > 0) <= wanted
            }) {
                break step;
            }
            power = power.saturating_mul(10);
        };
        let count = max.div_euclid(step) + i64::from(max.rem_euclid(step) > 0);
        Self { marks: (0..=count).map(|number| number.saturating_mul(step)).collect() }
    }

    /// The marks, 0 first.
    pub(super) fn marks(&self) -> &[i64] {
        &self.marks
    }

    /// The part of the scale that lies below `value`: 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a place on a drawing needs no more than 52 bits")]
    pub(super) fn share(&self, value: i64) -> f64 {
        let top = self.marks.last().copied().unwrap_or(1).max(1);
        (value.max(0) as f64 / top as f64).min(1.0)
    }
}

/// Every how many columns carry a label, so that at most `most` of them do.
pub(super) fn every(columns: usize, most: usize) -> usize {
    columns.div_ceil(most.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_whole_and_round_and_reach_the_largest_number() {
        for (max, marks) in [
            (0, &[0, 1][..]),
            (1, &[0, 1]),
            (3, &[0, 1, 2, 3]),
            (4, &[0, 1, 2, 3, 4]),
            (5, &[0, 2, 4, 6]),
            (9, &[0, 5, 10]),
            (17, &[0, 5, 10, 15, 20]),
            (40, &[0, 10, 20, 30, 40]),
            (41, &[0, 20, 40, 60]),
            (1_234, &[0, 500, 1_000, 1_500]),
        ] {
            assert_eq!(Scale::up_to(max, 4).marks(), marks, "{max}");
        }
        assert!(Scale::up_to(i64::MAX, 4).marks().len() <= 5, "no end of time");
        assert_eq!(Scale::up_to(-3, 0).marks(), [0, 1]);
    }

    #[test]
    fn shares_stay_on_the_scale() {
        let scale = Scale::up_to(17, 4);
        assert_eq!((scale.share(0), scale.share(5), scale.share(20)), (0.0, 0.25, 1.0));
        assert_eq!((scale.share(-1), scale.share(99)), (0.0, 1.0));
    }

    #[test]
    fn labels_are_thinned_when_there_are_many() {
        assert_eq!((every(12, 12), every(13, 12), every(24, 12), every(0, 12), every(5, 0)), (1, 2, 2, 1, 5));
    }
}
