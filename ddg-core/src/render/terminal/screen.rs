//! The output that a view writes to.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle, TermLike};

use super::frame::Frame;
use super::line::{Line, Tone};
use super::text::Paint;

/// The size of the terminal.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

pub(super) enum Screen {
    Lines(Box<dyn Write + Send>),
    /// A bar that consists of a message of many lines, because `indicatif` repaints bars in place.
    Painted {
        bar: ProgressBar,
        size: Box<dyn Fn() -> Size + Send>,
        paint: Paint,
    },
}

impl Screen {
    pub(super) fn lines(out: impl Write + Send + 'static) -> Self {
        Self::Lines(Box::new(out))
    }

    pub(super) fn painted(term: impl TermLike + Clone + 'static, colours: bool) -> Self {
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let style = ProgressStyle::with_template("{msg}").expect("a template");
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(style)
            .with_finish(ProgressFinish::AndClear);
        let size = move || Size { columns: term.width().into(), rows: term.height().into() };
        Self::Painted { bar, size: Box::new(size), paint: Paint { colours } }
    }

    pub(super) fn is_painted(&self) -> bool {
        matches!(self, Self::Painted { .. })
    }

    /// The size in columns and rows, if the output is painted.
    pub(super) fn size(&self) -> Option<Size> {
        match self {
            Self::Lines(_) => None,
            Self::Painted { size, .. } => Some(size()),
        }
    }

    /// Writes `lines`, and repaints `frame` below them.
    pub(super) fn show(&mut self, lines: &[Line], frame: Option<Frame>) -> io::Result<()> {
        match self {
            Self::Lines(out) => {
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                out.write_all(text.as_bytes())?;
                out.flush()
            }
            Self::Painted { bar, size, paint } => {
                let width = size().columns;
                let lines = lines.iter().filter(|line| line.tone != Tone::Detail);
                let lines: Vec<_> = lines.flat_map(|line| line.painted(*paint, width)).collect();
                if let Some(frame) = frame {
                    bar.set_message(frame.rows(*paint).join("\n"));
                }
                if !lines.is_empty() {
                    bar.println(lines.join("\n"));
                }
                Ok(())
            }
        }
    }
}
