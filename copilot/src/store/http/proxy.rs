//! Which hosts are reached without a proxy. The transport reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`
//! itself. Like the reference's transport we never use a proxy for this machine, nor, beyond that, for
//! hosts on its link: the proxy would look for them on its own machine and link. Caller: `transport`.

use std::net::{IpAddr, Ipv6Addr};

/// The variables that name proxies; they also count in lower case.
const NAMES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// Whether the environment names a proxy.
pub(super) fn are_named() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    NAMES
        .iter()
        .any(|name| is_set(name) || is_set(&name.to_lowercase()))
}

/// Whether a host, as written in an address, is this machine or on its link. Metadata services of clouds
/// are on the link.
pub(super) fn is_near(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse();
    match number {
        Ok(IpAddr::V4(number)) => number.is_loopback() || number.is_link_local(),
        Ok(IpAddr::V6(number)) => {
            number.is_loopback() || number.is_unicast_link_local() || is_of_amazon(number)
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// `fd00:ec2::/32`: the metadata services of AWS, by IPv6.
fn is_of_amazon(number: Ipv6Addr) -> bool {
    number.segments()[..2] == [0xfd00, 0xec2]
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn this_machine_and_its_link() {
        for host in [
            "localhost",
            "LocalHost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "169.254.169.254",
            "169.254.170.23",
            "[fd00:ec2::254]",
            "[fe80::1]",
        ] {
            assert!(is_near(host), "{host}");
        }
        for host in [
            "",
            "localhost.example",
            "127.example",
            "0.0.0.0",
            "10.0.0.1",
            "[fd00:ec3::1]",
            "metadata.google.internal",
            "s3.amazonaws.com",
        ] {
            assert!(!is_near(host), "{host}");
        }
    }
}
