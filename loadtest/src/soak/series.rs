//! Whether a figure grows: a line through its samples that a few outliers do not move, and the rule by which a rise is a leak.

use serde::Serialize;

/// The fewest samples that can show a slope.
const FEWEST: usize = 8;

/// A rise within this many times the samples' usual distance from the line is noise.
const NOISE: f64 = 2.0;

/// A figure, sampled while work goes on.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// The stage of the soak.
    pub(crate) stage: &'static str,
    /// The figure.
    pub(crate) figure: Figure,
    /// The work done, and the figure then.
    samples: Vec<(f64, f64)>,
}

/// A figure that must not grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    ResidentBytes,
    HeapBytes,
    Descriptors,
    Tasks,
}

impl Figure {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ResidentBytes => "resident KiB",
            Self::HeapBytes => "heap KiB",
            Self::Descriptors => "descriptors",
            Self::Tasks => "tasks",
        }
    }

    /// The divisor with which it is shown.
    pub(crate) fn unit(self) -> f64 {
        match self {
            Self::ResidentBytes | Self::HeapBytes => 1024.0,
            Self::Descriptors | Self::Tasks => 1.0,
        }
    }

    /// The rise that is always allowed. An allocator keeps pages in pieces, and tables double while they fill.
    fn allowed(self) -> f64 {
        match self {
            Self::ResidentBytes => 4.0 * 1024.0 * 1024.0,
            Self::HeapBytes => 128.0 * 1024.0,
            Self::Descriptors | Self::Tasks => 2.0,
        }
    }
}

/// A series, judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Judged {
    pub(crate) stage: &'static str,
    pub(crate) figure: Figure,
    pub(crate) samples: usize,
    /// The line's first and last value.
    pub(crate) from: f64,
    pub(crate) to: f64,
    /// The usual distance of a sample from the line: its median.
    pub(crate) scatter: f64,
    /// The rise that is not a leak.
    pub(crate) allowed: f64,
    pub(crate) leaks: bool,
}

impl Series {
    pub(crate) fn new(stage: &'static str, figure: Figure) -> Self {
        Self { stage, figure, samples: Vec::new() }
    }

    /// Adds a sample. `work` must grow.
    pub(crate) fn push(&mut self, work: f64, value: f64) {
        self.samples.push((work, value));
    }

    /// Judges the samples. The line is that of Theil and Sen: its slope is the median of the slopes between any two samples. It is a
    /// leak if the line rises by more than the figure is allowed and by more than noise. `None` if there are too few samples.
    pub(crate) fn judge(&self) -> Option<Judged> {
        let (first, last) = (self.samples.first()?.0, self.samples.last()?.0);
        if self.samples.len() < FEWEST || last <= first {
            return None;
        }
        let slope = median(self.slopes());
        let height = median(self.samples.iter().map(|(work, value)| value - slope * work).collect());
        let at = |work: f64| height + slope * work;
        let scatter = median(self.samples.iter().map(|(work, value)| (value - at(*work)).abs()).collect());
        let allowed = self.figure.allowed().max(NOISE * scatter);
        let (from, to) = (at(first), at(last));
        let Self { stage, figure, ref samples } = *self;
        Some(Judged { stage, figure, samples: samples.len(), from, to, scatter, allowed, leaks: to - from > allowed })
    }

    fn slopes(&self) -> Vec<f64> {
        let pairs = self.samples.iter().enumerate().flat_map(|(at, a)| self.samples[at + 1..].iter().map(move |b| (a, b)));
        pairs.filter(|(a, b)| b.0 > a.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect()
    }
}

/// Returns the median of at least one value.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    const KIB: f64 = 1024.0;

    /// Samples of the heap, one each 10 cycles.
    fn heap(samples: usize, value: impl FnMut(f64) -> f64) -> Judged {
        let mut value = value;
        let mut series = Series::new("cycles", Figure::HeapBytes);
        (0..samples).map(|n| 10.0 * n as f64).for_each(|work| series.push(work, value(work)));
        series.judge().unwrap()
    }

    fn noise(seed: u64, most: f64) -> impl FnMut() -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        move || most * rng.random_range(-1.0..1.0)
    }

    #[test]
    fn a_steady_leak_is_found() {
        let judged = heap(101, |work| 1e6 + 300.0 * work);
        assert!(judged.leaks, "{judged:?}");
        assert_eq!((judged.from, judged.to.round(), judged.scatter), (1e6, 1.3e6, 0.0));
    }

    #[test]
    fn a_leak_is_found_under_noise() {
        for seed in 0..50 {
            let mut noise = noise(seed, 100.0 * KIB);
            let judged = heap(101, |work| 1e6 + 500.0 * work + noise());
            assert!(judged.leaks, "seed {seed}: {judged:?}");
        }
    }

    #[test]
    fn noise_without_a_slope_passes() {
        for seed in 0..50 {
            let mut noise = noise(seed, 3000.0 * KIB);
            let judged = heap(101, |_| 1e8 + noise());
            assert!(!judged.leaks, "seed {seed}: {judged:?}");
        }
    }

    #[test]
    fn a_figure_that_comes_and_goes_passes() {
        // A table that fills for 400 cycles and is swept.
        let judged = heap(101, |work| 1e6 + 1000.0 * (work % 400.0));
        assert!(!judged.leaks, "{judged:?}");
    }

    #[test]
    fn a_few_outliers_are_no_leak() {
        let judged = heap(101, |work| if work > 900.0 { 5e7 } else { 1e6 });
        assert!(!judged.leaks, "{judged:?}");
        let judged = heap(101, |work| if work % 200.0 == 0.0 { 0.0 } else { 1e6 + 300.0 * work });
        assert!(judged.leaks, "and they hide none: {judged:?}");
    }

    #[test]
    fn a_figure_that_falls_passes() {
        assert!(!heap(101, |work| 1e8 - 1000.0 * work).leaks);
    }

    #[test]
    fn each_task_that_stays_is_found() {
        let mut tasks = Series::new("cycles", Figure::Tasks);
        (0..40).for_each(|n| tasks.push(25.0 * f64::from(n), 12.0 + f64::from(n / 10)));
        assert!(tasks.judge().unwrap().leaks, "one each 250 cycles: {:?}", tasks.judge());
        let mut tasks = Series::new("cycles", Figure::Tasks);
        (0..40).for_each(|n| tasks.push(25.0 * f64::from(n), 12.0 + f64::from(n % 3)));
        assert!(!tasks.judge().unwrap().leaks);
    }

    #[test]
    fn too_few_samples_are_not_judged() {
        let mut series = Series::new("cycles", Figure::Tasks);
        (0..FEWEST - 1).for_each(|n| series.push(n as f64, 1.0));
        assert_eq!(series.judge(), None);
        series.push(FEWEST as f64, 1.0);
        assert!(!series.judge().unwrap().leaks);
    }
}
