//! Where a view is shown.

use std::io::{self, Write};

use console::truncate_str;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle, TermLike};

use super::frame::Frame;
use super::line::{Line, Tone};
use super::text::Paint;

pub(super) enum Screen {
    Lines(Box<dyn Write + Send>),
    /// A bar that is nothing but its message, of many lines, knows how to paint that anew.
    Painted {
        bar: ProgressBar,
        width: Box<dyn Fn() -> u16 + Send>,
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
        Self::Painted { bar, width: Box::new(move || term.width()), paint: Paint { colours } }
    }

    pub(super) fn is_painted(&self) -> bool {
        matches!(self, Self::Painted { .. })
    }

    /// Writes `lines`, and a `frame` below them in place of the one that was there.
    pub(super) fn show(&mut self, lines: &[Line], frame: Option<Frame>) -> io::Result<()> {
        match self {
            Self::Lines(out) => {
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                out.write_all(text.as_bytes())?;
                out.flush()
            }
            Self::Painted { bar, width, paint } => {
                let lines = lines.iter().filter(|line| line.tone != Tone::Detail);
                let lines: Vec<_> = lines.map(|line| line.painted(*paint)).collect();
                if let Some(frame) = frame {
                    let width = usize::from(width());
                    let rows = frame.rows(*paint, width);
                    let rows: Vec<_> =
                        rows.iter().map(|row| truncate_str(row, width, "…")).collect();
                    bar.set_message(rows.join("\n"));
                }
                if !lines.is_empty() {
                    bar.println(lines.join("\n"));
                }
                Ok(())
            }
        }
    }
}
