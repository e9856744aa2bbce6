//! The certificate authorities in the image: those that Mozilla trusts, as a file in PEM.
//!
//! The binary has the same ones compiled in, so that it works in an image without the file. In an image they are where
//! people and scanners look for them, and where a mounted file replaces them. They come from a crate, not from the
//! machine that builds: the lock file says which.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Where programs look for them, relative to the root. The binary does, too.
pub const PATH: &str = "etc/ssl/certs/ca-certificates.crt";

/// The crate that they come from.
pub const CRATE: &str = "webpki-root-certs";

/// The length of a line of base64 (RFC 7468, section 2).
const LINE: usize = 64;

/// The file.
pub fn pem() -> Vec<u8> {
    let mut text = Vec::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.extend_from_slice(b"-----BEGIN CERTIFICATE-----\n");
        for line in BASE64_STANDARD.encode(certificate).as_bytes().chunks(LINE) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text.extend_from_slice(b"-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether `part` is somewhere in `whole`.
    fn contains(whole: &[u8], part: &[u8]) -> bool {
        whole.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn the_image_trusts_whom_the_binary_trusts() {
        let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let compiled_in = webpki_roots::TLS_SERVER_ROOTS;
        for anchor in compiled_in {
            let found = certificates.iter().any(|certificate| {
                contains(certificate, &anchor.subject)
                    && contains(certificate, &anchor.subject_public_key_info)
            });
            assert!(
                found,
                "no certificate of {}",
                String::from_utf8_lossy(&anchor.subject)
            );
        }
        assert_eq!(certificates.len(), compiled_in.len());
    }

    #[test]
    fn the_file_is_pem_with_lines_of_64_characters() {
        let text = String::from_utf8(pem()).expect("PEM is ASCII");
        assert!(text.lines().all(|line| line.len() <= LINE));
        let begun = text.matches("-----BEGIN CERTIFICATE-----\n").count();
        assert_eq!(begun, webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(text.ends_with("-----END CERTIFICATE-----\n"));
    }
}
