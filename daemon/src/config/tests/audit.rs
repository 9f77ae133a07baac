//! `[audit]`.

use super::*;

const LEAST: &str = "[network]\nendpoints = [\"ws://127.0.0.1:1\"]\n[daemon]\ndata_dir = \"d\"\nkeystore = \"k\"\n\
                     [[account]]\nname = \"warm\"\ntier = \"warm\"\naddress = \"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh\"\n";

fn keeps(text: &str) -> Result<Option<u32>, ConfigError> {
    let config = DaemonConfig::parse(&format!("{LEAST}{text}"), Path::new("/"))?;
    Ok(config.audit_keep_days)
}

#[test]
fn texts_of_the_audit_log_are_kept_unless_somebody_says_for_how_long() {
    assert_eq!(keeps("").unwrap(), None);
    assert_eq!(keeps("[audit]\n").unwrap(), None);
    assert_eq!(keeps("[audit]\nkeep_days = 3650\n").unwrap(), Some(3_650));
    for wrong in ["keep_days = 0", "keep_days = 36501", "keep = 1"] {
        assert!(
            keeps(&format!("[audit]\n{wrong}\n")).unwrap_err().to_string().contains("audit.keep"),
            "{wrong}"
        );
    }
    let parse = |text: &str| DaemonConfig::parse(&format!("{LEAST}{text}"), Path::new("/")).unwrap();
    let differs = parse("[audit]\nkeep_days = 1\n").differs_for_good(&parse(""));
    assert_eq!(differs, ["audit"]);
}
