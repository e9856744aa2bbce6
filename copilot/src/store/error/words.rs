//! Parts of messages that depend on numbers and addresses. Caller: `error`.

/// By how much the clocks differ, as a sentence without its full stop.
pub(super) fn skew(ahead: Option<i64>) -> String {
    match ahead {
        Some(seconds @ 1..) => format!("This machine's clock is {seconds} s ahead"),
        Some(seconds @ ..=-1) => format!("This machine's clock is {} s behind", -seconds),
        Some(0) => "The clocks agree now".to_owned(),
        None => "The store does not say its time".to_owned(),
    }
}

/// What to do about a store that sends us elsewhere.
pub(super) fn elsewhere(address: Option<&str>) -> String {
    match address {
        Some(address) => format!(
            "It sends us to {address}: set endpoint and region in storage.stow.config to those of the bucket"
        ),
        None => "It does not say where: set endpoint and region in storage.stow.config to those of the bucket"
            .to_owned(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "six decimals of a size in MiB for a person"
)]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
