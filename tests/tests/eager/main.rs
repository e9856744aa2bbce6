//! `UPLOAD_EAGER`: what main has finished goes up while it runs, what changed at the last moment goes
//! up as it is in the end, and nothing else lies there.

#[cfg(test)]
mod alone;
#[cfg(test)]
mod growing;
#[cfg(test)]
mod last_moment;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod random;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod trouble;
