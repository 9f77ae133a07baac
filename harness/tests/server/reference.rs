//! The page docs/reference/control-methods.md, from the table in the code.

use xrpl_harness::server::CONTROL_METHODS;

/// What stands before the table.
const INTRODUCTION: &str = "\
# Control methods of xrpl-standalone

Generated from the code; a test fails when it drifts, and rewrites it with `UPDATE_REFERENCE=1`.

These methods set time, money, snapshots and faults. No ledger server has them: a client that calls one is a test. They
are for administrators, over JSON-RPC (`{\"method\": \"standalone_fund\", \"params\": [{…}]}`) and websocket
(`{\"id\": 1, \"command\": \"standalone_fund\", …}`) alike; on a port without administrators they answer `forbidden`.
A parameter that is missing or of the wrong kind answers `invalidParams` and names it.

Time travel from any language, a month in one ledger:

```sh
curl -s http://127.0.0.1:5005 -d '{\"method\": \"standalone_advance_time\", \"params\": [{\"seconds\": 2592000}]}'
```
```python
client.request(GenericRequest(method=\"standalone_advance_time\", seconds=2592000))
```
```js
await client.request({ command: 'standalone_advance_time', seconds: 2592000 })
```

And acting for an account whose keys nobody has: from then on its transactions are taken whoever signed them.

```sh
curl -s http://127.0.0.1:5005 -d '{\"method\": \"standalone_impersonate\", \"params\": [{\"account\": \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\", \"enabled\": true}]}'
```
```python
client.request(GenericRequest(method=\"standalone_impersonate\", account=treasury, enabled=True))
submit(sign(autofill(Payment(account=treasury, destination=other, amount=\"1\"), client), wallet), client)
```
```js
await client.request({ command: 'standalone_impersonate', account: treasury, enabled: true })
await client.submit(wallet.sign(await client.autofill(payment)).tx_blob)
```
";

fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for method in CONTROL_METHODS {
        page.push_str(&format!("\n## `{}`\n\n{}\n\n", method.name, method.does));
        let parameters: Vec<String> = names(method.parameters).map(|name| format!("`{name}`")).collect();
        match parameters.as_slice() {
            [] => page.push_str("No parameters.\n"),
            some => page.push_str(&format!("Parameters: {}.\n", some.join(", "))),
        }
    }
    page
}

/// The names in a list of parameters.
fn names(parameters: &str) -> impl Iterator<Item = &str> {
    parameters.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// What the page shows for the shell works as it stands there.
#[tokio::test]
async fn the_examples_of_the_page_are_answered() {
    let server = crate::support::start().await;
    let mut bodies = 0;
    for line in INTRODUCTION.lines().filter(|line| line.starts_with("curl ")) {
        let body = line.split('\'').nth(1).unwrap();
        let (status, answer) = crate::support::post(&server.rpc_url(), body).await;
        assert!(status == 200 && answer.contains(r#""status":"success""#), "{line}: {answer}");
        bodies += 1;
    }
    assert_eq!(bodies, 2);
}

#[test]
fn the_page_of_control_methods_is_what_the_code_says() {
    let path = recordings::repository().join("docs/reference/control-methods.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(
        page == reference(),
        "docs/reference/control-methods.md is old; run the test with UPDATE_REFERENCE=1"
    );
}
