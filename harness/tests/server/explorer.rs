//! The pages for people.

use serde_json::json;
use xrpl_harness::EmbeddedServer;
use xrpl_harness::embedded::{GENESIS_ACCOUNT, GENESIS_SEED};

use crate::support::{account, call, start, xrp};

/// The whole answer to `GET path`, head and all.
async fn get(server: &EmbeddedServer, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = server.rpc_url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_is_on_the_ledger_has_a_page_and_links_to_the_next() {
    let server = start().await;
    let alice = account("alice").1;
    server.fund(&alice, xrp(100)).unwrap();
    server.close_ledger();
    let escrow = json!({"TransactionType": "EscrowCreate", "Account": GENESIS_ACCOUNT.to_string(),
        "Destination": alice.to_string(), "Amount": "40000000", "FinishAfter": 830_000_000});
    let ask = json!({"secret": GENESIS_SEED, "tx_json": escrow});
    let escrow = call(&server.rpc_url(), "submit", ask).await["tx_json"]["hash"].as_str().unwrap().to_owned();
    let hash = server.close_ledger().hash.to_string();
    let entry = xrpl_wire::index::escrow(&GENESIS_ACCOUNT, 2).to_string();
    let root = xrpl_wire::index::account_root(&alice).to_string();
    for (path, title, holds) in [
        (
            "/".to_owned(),
            "Ledger 4",
            vec!["href=\"/ledger/3\"", "EscrowCreate", "tesSUCCESS", "rules of 3.2.0"],
        ),
        ("/ledgers".to_owned(), "Ledgers", vec!["href=\"/ledger/2\""]),
        ("/ledgers?before=3".to_owned(), "Ledgers", vec!["href=\"/ledger/2\""]),
        ("/ledger/4".to_owned(), "Ledger 4", vec![escrow.as_str(), "40 XRP"]),
        (format!("/ledger/{hash}"), "Ledger 4", vec![escrow.as_str()]),
        (
            format!("/tx/{escrow}"),
            "EscrowCreate",
            vec!["href=\"/ledger/4\"", entry.as_str(), "&quot;FinishAfter&quot;: 830000000"],
        ),
        (
            "/accounts".to_owned(),
            "Accounts",
            vec!["href=\"/account/rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"", "100 XRP"],
        ),
        (format!("/account/{alice}"), &alice.to_string(), vec!["100 XRP", "Escrow", root.as_str()]),
        (
            format!("/object/{entry}"),
            "Escrow",
            vec!["href=\"/account/rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"", escrow.as_str()],
        ),
        ("/proposals".to_owned(), "Proposals", vec!["no proposals"]),
    ] {
        let page = get(&server, &path).await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {page}");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{path}: {page}");
        for part in holds {
            assert!(page.contains(part), "{path} does not hold {part}: {page}");
        }
    }
    for (asked, found) in [
        ("4", "/ledger/4".to_owned()),
        (&*alice.to_string(), format!("/account/{alice}")),
        (&*escrow, format!("/tx/{escrow}")),
        (&*hash, format!("/ledger/{hash}")),
        (&*entry, format!("/object/{entry}")),
    ] {
        let page = get(&server, &format!("/search?q={asked}")).await;
        let head = page.to_lowercase();
        assert!(
            page.starts_with("HTTP/1.1 303 ")
                && head.contains(&format!("location: {}\r\n", found.to_lowercase())),
            "{page}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_nothing_comes_from_elsewhere() {
    let server = start().await;
    let nobody = account("nobody").1;
    for path in [
        "/ledger/9",
        "/ledger/x",
        "/tx/AB",
        "/object/AB",
        "/nothing/at/all",
        "/search?q=x",
        &format!("/account/{nobody}"),
        "/%3Cscript%3E",
    ] {
        let page = get(&server, path).await;
        assert!(page.starts_with("HTTP/1.1 404 ") && page.contains("There is nothing at"), "{path}: {page}");
        assert!(!page.contains("<script"), "{page}");
    }
    let page = get(&server, "/").await;
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for outside in ["http://", "https://", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside} in {page}");
    }
}
