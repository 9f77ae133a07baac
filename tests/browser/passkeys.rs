//! Acts that need a gesture, with the browser's virtual authenticator for a device.

use super::{Browser, World, faults, picture};

/// The configuration with a line in somebody's section.
fn with_line(config: &str, person: &str, line: &str) -> String {
    let name = format!("[[person]]\nname = \"{person}\"\n");
    assert!(config.contains(&name), "{config}");
    config.replacen(&name, &format!("{name}{line}\n"), 1)
}

/// Uploads what somebody signed, and presses the button.
async fn uploads(world: &World, browser: &Browser, person: &str, id: &str) {
    browser.open(&world.page(&format!("/proposals/{id}"))).await;
    let file = world.signed(person, id).await;
    browser.types("input[type=file]", &file.display().to_string()).await;
    browser.follow(&format!("form[action='/console/proposals/{id}/approve'] button")).await;
}

/// How many have signed.
async fn signed(world: &World, id: &str) -> usize {
    world.client("alice").proposal(id).await.unwrap().approvals.len()
}

/// Goal: carol makes a passkey, has it written into the configuration, and approves with it. Danger: a browser that the
/// options or the answer do not suit; a gesture that is taken twice; somebody without one who is let through, or who is not
/// told why not.
pub(crate) async fn a_gesture(world: &mut World) {
    let path = world.sandbox.config_path();
    let config = std::fs::read_to_string(&path).unwrap() + "[console.passkeys]\nacts = [\"approve\"]\n";
    std::fs::write(&path, &config).unwrap();
    world.restart().await;
    let world = &*world;
    let paid = world.payment("supplier", 310, "with a gesture").await;

    let carol = world.browser("carol", true).await;
    carol.authenticator().await;
    carol.follow("a[href='/console/passkeys']").await;
    assert!(carol.text("main").await.contains("You have none that counts."));
    carol.types("input[name=name]", "laptop").await;
    carol.follow("form[action='/console/passkeys/new'] button").await;
    carol.follow("form[data-passkey] button").await;
    let line = carol.text("pre[data-line]").await;
    assert!(line.starts_with("passkeys = [\"laptop:"), "{line}");
    picture(&carol, "passkey-made").await;
    assert_eq!(faults(&carol).await, Vec::<String>::new());

    // It does not count before it stands in the configuration.
    uploads(world, &carol, "carol", &paid).await;
    assert!(carol.text("main").await.contains("PASSKEY_MISSING"));
    std::fs::write(&path, with_line(&config, "carol", &line)).unwrap();
    world.daemon().reload(&world.sandbox.daemon_config().unwrap()).await.unwrap();
    // Whoever reads its configuration anew looks at everything anew, with a next ledger.
    world.sandbox.let_pass(1).await.unwrap();
    carol.open(&world.page("/passkeys")).await;
    assert!(carol.text("tbody").await.contains("laptop"));

    uploads(world, &carol, "carol", &paid).await;
    let shown = carol.text("main").await;
    for part in ["Nothing has been done yet", &format!("{paid}: warm pays 310 XRP to supplier")] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("JavaScript"), "{shown}");
    picture(&carol, "confirm").await;
    assert_eq!(faults(&carol).await, Vec::<String>::new());
    assert_eq!(signed(world, &paid).await, 0);
    // What the form sends is kept, for a second time.
    carol
        .runs(
            "window.sends = HTMLFormElement.prototype.submit; \
             HTMLFormElement.prototype.submit = function () { document.title = this.elements.gesture.value; };",
        )
        .await;
    carol.click("form[data-passkey] button").await;
    let sent = carol.told(
        "const done = arguments[arguments.length - 1]; const form = document.querySelector('form[data-passkey]'); \
         const look = () => { if (!form.elements.gesture.value) { setTimeout(look, 20); return; } \
         const fields = [...new FormData(form)]; HTMLFormElement.prototype.submit = window.sends; done(fields); }; look();",
    );
    let sent = sent.await.to_string();
    carol.leave("form[data-passkey]", "document.querySelector('form[data-passkey]').submit()").await;
    assert_eq!(carol.text("[role=status]").await, format!("{paid}: approved"));
    assert_eq!(signed(world, &paid).await, 1);
    let again = format!(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '/console/confirm'; \
         for (const [name, value] of {sent}) {{ const field = document.createElement('input'); field.type = 'hidden'; \
         field.name = name; field.value = value; form.append(field); }} document.body.append(form); form.submit();"
    );
    carol.leave("nav", &again).await;
    assert!(carol.text("main").await.contains("GESTURE_OVER"), "{}", carol.text("main").await);
    carol.close().await;

    // Without scripts it says why not, and bob has no passkey.
    let other = world.payment("supplier", 311, "without a gesture").await;
    for (person, says) in [("carol", "Passkeys need JavaScript"), ("bob", "PASSKEY_MISSING")] {
        let browser = world.browser(person, false).await;
        uploads(world, &browser, person, &other).await;
        assert!(browser.text("main").await.contains(says), "{}", browser.text("main").await);
        browser.close().await;
    }
    assert_eq!(signed(world, &other).await, 0);
    for id in [&paid, &other] {
        world.client("alice").withdraw(id).await.unwrap();
    }
}
