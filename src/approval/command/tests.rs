use super::*;

fn target() -> Target {
    Target { service: ServiceName::new("checkout").unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

/// A policy that knows the environments `production` and `staging`, and the service `checkout`.
fn read(body: &str) -> Command {
    let environments = ["production", "staging"].map(|name| EnvironmentName::new(name).unwrap());
    ReviewText::read(body).command(|named| {
        environments.contains(&named.environment)
            && named.service.as_ref().is_none_or(|service| *service == target().service)
    })
}

fn names(body: &str) -> Option<bool> {
    match read(body) {
        Command::Approve(targets) => Some(targets.iter().any(|named| named.names(&target()))),
        Command::Override(named, _) => Some(named.names(&target())),
        Command::Plain | Command::Unclear(_) => None,
    }
}

fn slip(body: &str) -> Option<Slip> {
    match read(body) {
        Command::Unclear(unclear) => Some(unclear.slip),
        Command::Plain | Command::Approve(_) | Command::Override(..) => None,
    }
}

#[test]
fn a_command_is_a_line_of_its_own_anywhere_in_the_text() {
    for body in [
        "/approve production",
        "Looks good.\n\n/approve checkout:production\n\nThanks",
        "  \t/Approve Staging, CHECKOUT:Production.  ",
        "\u{feff}/approve production\u{200b}",
        "/approve\u{a0}production",
        "/approve production,",
        "/approve staging\r\n/approve production\r\n",
        "> fine by me\n/approve production",
        "<!-- a note -->\n/approve production",
        "```\nlet a = 1;\n```\n/approve production",
        "~~~~\n```\n~~~~\n/approve production",
        "see src/approve.rs, /approve-all and https://x.example/approve/index.html\n/approve production",
        "/override production the site is down",
        "/override production see `main.rs`",
        "because:\n/override checkout:production: the site is down",
    ] {
        assert_eq!(names(body), Some(true), "{body:?}");
    }
    for body in ["/approve staging", "/approve billing:production", "/override staging down", "hi\n/approve staging"] {
        assert_eq!(names(body), Some(false), "{body:?}");
    }
}

#[test]
fn a_reason_has_no_hidden_characters() {
    let Command::Override(_, reason) = read("/override production a\u{202e}b\u{1b}[31m\tc\u{2066}\rd \u{26a0}\u{fe0f}")
    else {
        panic!("an override");
    };
    assert_eq!(reason, "ab[31m c d \u{26a0}");
}

#[test]
fn a_text_without_anything_like_a_command_is_plain() {
    for body in [
        "",
        "LGTM",
        "/lgtm",
        "/etc is touched",
        "a/b, and/or",
        "src/approve.rs, ../approve, v1/override",
        "/approve/index.html",
        "/approve-all",
        "/approve.rs",
        "https://acme.example/approve",
        "I approve production",
        "approve of this",
        "approve billing:elsewhere",
        "nothing\napprove production",
        "/improve this",
        "we should /aproove it",
        "/部署",
    ] {
        assert_eq!(read(body), Command::Plain, "{body:?}");
    }
}

#[test]
fn what_looks_like_a_command_and_is_none_approves_nothing() {
    for (body, expected) in [
        ("/approve", Slip::NoTarget),
        ("/approve production please", Slip::BadTarget),
        ("/approve staging production", Slip::BadTarget),
        ("/approve a,,b", Slip::BadTarget),
        ("/approve: production", Slip::BadTarget),
        ("/approve a:b:c", Slip::BadTarget),
        ("/approve checkout\u{ff1a}production", Slip::BadTarget),
        ("/approve staging\r/approve production", Slip::BadTarget),
        ("/approve staging\u{2028}/approve production", Slip::BadTarget),
        ("/override", Slip::NoTarget),
        ("/override production", Slip::NoReason),
        ("/override production \u{200b}\nbecause", Slip::NoReason),
        ("/aprove production", Slip::Misspelt),
        ("/approved production", Slip::Misspelt),
        ("/apporve production", Slip::Misspelt),
        ("/appruve production", Slip::Misspelt),
        ("/overide production down", Slip::Misspelt),
        ("- /aprove production", Slip::NotAlone),
        ("fine\n/aprove production", Slip::Misspelt),
        ("/\u{430}pprove staging", Slip::Misspelt),
        ("/\u{430}\u{440}\u{440}r\u{43e}v\u{435} staging", Slip::Misspelt),
        ("/app\u{200b}rove staging", Slip::Misspelt),
        ("/ａｐｐｒｏｖｅ staging", Slip::Misspelt),
        ("\u{ff0f}approve staging", Slip::NoSlash),
        ("\u{2044}approve staging", Slip::NoSlash),
        ("\u{2215}override staging x", Slip::NoSlash),
        ("/ approve production", Slip::NoSlash),
        ("approve production", Slip::NoSlash),
        ("\n  Approve checkout:production, please\n/approve production", Slip::NoSlash),
        ("**override staging** because", Slip::NoSlash),
        ("> /approve production", Slip::Quoted),
        ("> quoted\n  > /approve staging\n/approve production", Slip::Quoted),
        ("```\n/approve staging\n```", Slip::Quoted),
        ("```\n/approve staging", Slip::Quoted),
        ("~~~ sh\n```\n/approve staging\n~~~", Slip::Quoted),
        ("    ```\n/approve staging\n    ```", Slip::Quoted),
        ("`/approve production`", Slip::NotAlone),
        ("/approve `production`", Slip::BadTarget),
        ("`\n/approve production\n`", Slip::Quoted),
        ("``a\n/approve production\nb``", Slip::Quoted),
        ("<!-- /approve staging -->", Slip::Quoted),
        ("<!--\n/approve staging\n-->", Slip::Quoted),
        ("<!-- x\n--> /approve staging", Slip::Quoted),
        ("**/approve staging**", Slip::NotAlone),
        ("- /approve staging", Slip::NotAlone),
        ("1. /approve staging", Slip::NotAlone),
        ("@pia /approve staging", Slip::NotAlone),
        ("[/approve staging](x)", Slip::NotAlone),
        ("looks good (/approve staging)", Slip::NotAlone),
        ("\\/approve staging", Slip::NotAlone),
        ("//approve staging", Slip::NotAlone),
        ("\u{202e}x /approve staging", Slip::NotAlone),
        ("/override production down\n/approve production", Slip::SeveralCommands),
        ("/approve staging\n/override production down", Slip::SeveralCommands),
        ("/override staging down\n/override production down", Slip::SeveralCommands),
    ] {
        assert_eq!(slip(body), Some(expected), "{body:?}");
    }
}
