//! The golden vectors (`tests/golden`) against the pure parts: `idl` and `literal`, without a store.

#[cfg(test)]
mod case;
#[cfg(test)]
mod download;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod scalars;
#[cfg(test)]
mod upload;
#[cfg(test)]
mod yaml;
#[cfg(test)]
mod yaml11;
