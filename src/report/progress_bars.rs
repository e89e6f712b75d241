//! Progress on a terminal: a line for each image, gone when the image is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use crate::notices::{ImageProgress, TransferProgress, to_printable};

/// Time from the first transfer without progress lines.
const QUIET_PERIOD: Duration = Duration::from_secs(2);

/// Characters of an image's name that are shown.
const NAME_LIMIT: usize = 18;

/// Line of an image: 78 columns.
const TEMPLATE: &str = "{prefix:18!} [{bar:12}] {binary_bytes:>10}/{binary_total_bytes:10} {binary_bytes_per_sec:>12} {eta:>4} left";

/// Lines of the images in transfer.
pub(super) struct ProgressBars {
    lines: MultiProgress,
    /// Where the lines are drawn, once there is something worth drawing.
    target: Option<ProgressDrawTarget>,
    /// Most images that have a line.
    limit: usize,
    images: HashMap<Arc<str>, ProgressBar>,
    /// Images in transfer for which there is no line.
    others: Vec<Arc<str>>,
    others_line: Option<ProgressBar>,
    started: Option<Instant>,
}

impl ProgressBars {
    /// Returns bars that are drawn on `target`, a terminal of so many lines.
    pub(super) fn new(target: ProgressDrawTarget, height: usize) -> Self {
        Self {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            target: Some(target),
            // The lines of the log above them stay in view.
            limit: (height / 2).max(1),
            images: HashMap::new(),
            others: Vec::new(),
            others_line: None,
            started: None,
        }
    }

    /// Shows how far the transfers have come at `now`.
    pub(super) fn update(&mut self, progress: &TransferProgress, now: Instant) {
        let started = *self.started.get_or_insert(now);
        let image = &progress.image;
        if image.is_done {
            self.remove(image);
        } else if let Some(bar) = self.images.get(&image.name) {
            // Each change draws the line.
            if bar.length() != Some(image.total) {
                bar.set_length(image.total);
            }
            bar.set_position(image.moved);
        } else if image.total > 0 {
            self.insert(image);
        }
        if now - started >= QUIET_PERIOD
            && let Some(target) = self.target.take()
        {
            self.lines.set_draw_target(target);
            self.images
                .values()
                .chain(&self.others_line)
                .for_each(ProgressBar::tick);
        }
    }

    /// Runs `write` with the lines off the screen, and draws them again below what it wrote.
    pub(super) fn write_above(&self, write: impl FnOnce()) {
        self.lines.suspend(write);
    }

    /// Removes all lines.
    pub(super) fn clear(&mut self) {
        let bars = self.images.drain().map(|(_, bar)| bar);
        for bar in bars.chain(self.others_line.take()) {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
        self.others.clear();
    }

    fn insert(&mut self, image: &ImageProgress) {
        if self.images.len() >= self.limit {
            if !self.others.contains(&image.name) {
                self.others.push(image.name.clone());
                self.count_others();
            }
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(image.total), ProgressDrawTarget::hidden())
            .with_style(bar_style())
            .with_prefix(short_name(&image.name))
            .with_finish(ProgressFinish::AndClear);
        let bar = match &self.others_line {
            Some(last) => self.lines.insert_before(last, bar),
            None => self.lines.add(bar),
        };
        bar.set_position(image.moved);
        self.images.insert(image.name.clone(), bar);
    }

    fn remove(&mut self, image: &ImageProgress) {
        if let Some(bar) = self.images.remove(&image.name) {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
        if let Some(at) = self.others.iter().position(|name| *name == image.name) {
            self.others.remove(at);
            self.count_others();
        }
    }

    /// Says below the lines how many images have none.
    fn count_others(&mut self) {
        let line = self.others_line.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg}").expect("a valid template");
            self.lines.add(ProgressBar::new(1).with_style(style))
        });
        match self.others.len() {
            0 => line.set_message(""),
            count => line.set_message(format!("and {count} more in transfer")),
        }
    }
}

fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE)
        .expect("a valid template")
        .progress_chars("=> ")
}

/// Returns the end of a long name, which tells images apart.
fn short_name(name: &str) -> String {
    let name = to_printable(name, usize::MAX);
    let length = name.chars().count();
    match length <= NAME_LIMIT {
        true => name,
        false => std::iter::once('…')
            .chain(name.chars().skip(length + 1 - NAME_LIMIT))
            .collect(),
    }
}
