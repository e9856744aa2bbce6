//! The spans of real runs, at a collector of our own. Built with the feature `otlp` only.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod collector;
#[cfg(test)]
mod run;
