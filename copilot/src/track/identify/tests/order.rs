//! Containers that share the output volume: kubelet's order decides.

use super::*;

/// Flyte's `co-pilot.name` is the prefix of both containers, so ours shows the other's.
#[test]
fn flytes_own_containers_are_known_whatever_their_prefix() {
    let at = Some;
    let pod = || {
        vec![
            container("my-pilot-uploader*", at(1), None),
            container("init*", at(2), at(3)),
            container("my-pilot-downloader*", at(4), at(5)),
            container("main*", at(6), None),
        ]
    };
    let ours = |name: &str| Rules {
        own_name: Some(name.to_owned()),
        ..pods_rules()
    };
    for own in [
        "my-pilot-uploader",
        "my-pilot-sidecar",
        "my-pilot-downloader",
    ] {
        assert_eq!(chosen(&ours(own), &pod()), ["main"], "{own}");
    }
    // Without main only Flyte's containers and one that came before them are left.
    assert!(chosen(&ours("my-pilot-uploader"), &pod()[..3]).is_empty());
    // A main of another system may have such a name.
    let others = [container("video-uploader*", at(2), None)];
    for rules in [pods_rules(), ours("my-pilot-uploader"), ours("-uploader")] {
        assert_eq!(chosen(&rules, &others), ["video-uploader"]);
    }
}

#[test]
fn among_those_that_share_the_volume_the_order_decides() {
    const LOADER: &str = "flyte-copilot-downloader";
    let rules = pods_rules();
    let at = Some;
    let rows: [(&str, Vec<Known>, &[&str]); 10] = [
        (
            "a container that began before the downloader is not main",
            vec![
                container("init*", at(1), at(2)),
                container(LOADER, at(3), at(5)),
                container("main*", at(6), None),
            ],
            &["main"],
        ),
        (
            "while the downloader is the last container, main has not started",
            vec![
                container("init*", at(1), at(2)),
                container(LOADER, at(3), None),
            ],
            &[],
        ),
        (
            "a native sidecar that began before it is not main, even if it lives on",
            vec![
                container("shipper*", at(1), None),
                container(LOADER, at(3), at(5)),
                container("main*", at(5), at(9)),
            ],
            &["main"],
        ),
        (
            "a container that ended before a later sharer began is not main",
            vec![
                container("init*", at(1), at(2)),
                container("main*", at(3), None),
            ],
            &["main"],
        ),
        (
            "not even while that one is being made",
            vec![
                container("init*", at(1), at(2)),
                container("main*", None, None),
            ],
            &["main"],
        ),
        (
            "of several that overlap, all are",
            vec![
                container("one*", at(1), at(4)),
                container("two*", at(3), None),
            ],
            &["one", "two"],
        ),
        (
            "a container that does not share is not main, whenever it ran",
            vec![
                container("main*", at(3), None),
                container("other", at(4), None),
            ],
            &["main"],
        ),
        (
            "only others: none",
            vec![container("other", at(4), at(5))],
            &[],
        ),
        (
            "one that has not begun counts",
            vec![container("main*", None, None)],
            &["main"],
        ),
        (
            "infrastructure that shares is not main",
            vec![
                container("istio-proxy*", at(3), None),
                container("vault-agent*", at(4), None),
            ],
            &[],
        ),
    ];
    for (why, containers, expected) in rows {
        assert_eq!(chosen(&rules, &containers), expected, "{why}");
    }
}

#[test]
fn a_downloader_that_streams_lives_beside_main() {
    let downloader = |ended| container("flyte-copilot-downloader", Some(3), ended);
    for (ended, main_ended) in [(None, None), (None, Some(9)), (Some(12), Some(9))] {
        let containers = [
            container("init*", Some(1), Some(2)),
            downloader(ended),
            container("main*", Some(6), main_ended),
        ];
        assert_eq!(chosen(&pods_rules(), &containers), ["main"], "{ended:?}");
    }
}
