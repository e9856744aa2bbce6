//! Certificates, keys and tokens of a control plane, created for each node.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;

/// The administrator's token, which allows everything.
pub const ADMIN: &str = "admin-token";

/// The other tokens, each with a user and a group.
const TOKENS: [[&str; 3]; 3] = [
    ["controllers-token", "system:kube-controller-manager", ""],
    ["scheduler-token", "system:kube-scheduler", ""],
    ["node-token", "system:node:NODE", "system:nodes"],
];

/// Writes all files into a folder.
pub fn make(folder: &Path, node: &str, port: u16) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "copilot-tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    fs::write(folder.join("ca.crt"), issuer.pem())?;

    let key = KeyPair::generate()?;
    let names = [
        "127.0.0.1",
        "10.0.0.1",
        "localhost",
        "kubernetes.default.svc",
    ];
    let params = CertificateParams::new(names.map(str::to_owned).to_vec())?;
    let certificate = params.signed_by(&key, &issuer)?;
    fs::write(folder.join("api.crt"), certificate.pem())?;
    fs::write(folder.join("api.key"), key.serialize_pem())?;

    // Signs the tokens of service accounts.
    let accounts = KeyPair::generate()?;
    fs::write(folder.join("accounts.key"), accounts.serialize_pem())?;
    fs::write(folder.join("accounts.pub"), accounts.public_key_pem())?;

    let mut lines = vec![format!("{ADMIN},admin,admin,system:masters")];
    for [token, user, group] in TOKENS {
        let user = user.replace("NODE", node);
        lines.push(format!("{token},{user},{token},{group}"));
        let name = token.trim_end_matches("-token");
        fs::write(
            folder.join(format!("{name}.json")),
            config(folder, token, port),
        )?;
    }
    fs::write(folder.join("tokens.csv"), lines.join("\n") + "\n")?;
    Ok(())
}

/// A kubeconfig.
fn config(folder: &Path, token: &str, port: u16) -> String {
    let cluster = json!({
        "server": format!("https://127.0.0.1:{port}"),
        "certificate-authority": folder.join("ca.crt"),
    });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    })
    .to_string()
}
