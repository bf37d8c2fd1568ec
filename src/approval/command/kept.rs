//! What the gate keeps of a review's text, so that every decision can be recorded whatever people write.

use super::{Command, Line, ReviewText, Word, command_at, is_blank, is_surely_plain, lines};

/// How many characters of a text's commands are kept.
const LONGEST: usize = 200;

/// The lines of a text that are commands, and the first that only looks like one: such a line stops the review from
/// approving anything. What is kept reads as the whole text does, with two exceptions. Commands of more than [`LONGEST`]
/// characters approve nothing, and the reason of a longer override loses its end.
#[must_use]
pub fn kept(body: &str) -> String {
    if is_surely_plain(body) {
        return String::new();
    }
    let (mut kept, mut length): (Vec<String>, usize) = (Vec::new(), 0);
    for (at, line) in lines(body).into_iter().enumerate() {
        let text = line.trimmed();
        match line.read() {
            Line::Other => {}
            Line::WithoutSlash(..) if at > 0 => {}
            Line::WithoutSlash(target, unclear) if text.chars().count() > LONGEST => {
                kept.push(format!("{} {target}", word(unclear.is_override)));
            }
            Line::WithoutSlash(..) => kept.push(text.to_owned()),
            Line::Unclear(unclear) => {
                let is_kept = text.chars().count() <= LONGEST && is_unclear(text);
                kept.push(if is_kept { text.to_owned() } else { quoted(text, unclear.is_override) });
                // The review approves nothing, whatever follows.
                break;
            }
            Line::Override(..) if length == 0 => {
                let first = cut(text);
                let is_over = is_unclear(&first);
                kept.push(first);
                if is_over {
                    break;
                }
                length = text.chars().count();
            }
            command @ (Line::Approve(_) | Line::Override(..)) => {
                length += text.chars().count();
                if length > LONGEST {
                    kept.push(quoted(text, matches!(command, Line::Override(..))));
                    break;
                }
                kept.push(text.to_owned());
            }
        }
    }
    // Apart from each other, no line changes how another is read.
    kept.join("\n\n")
}

fn is_unclear(text: &str) -> bool {
    matches!(ReviewText::read(text).command, Command::Unclear(_))
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect::<String>().trim_end_matches(is_blank).to_owned()
}

/// A line as a quote, from its command on. It approves nothing.
fn quoted(line: &str, is_override: bool) -> String {
    let characters: Vec<char> = line.chars().collect();
    let command = (0..characters.len()).find(|at| command_at(&characters, *at).is_some()).unwrap_or(0);
    let quote = format!("> {}", cut(&characters.into_iter().skip(command).collect::<String>()));
    // The cut may have taken the command word.
    if is_unclear(&quote) {
        return quote;
    }
    format!("> /{}", word(is_override))
}

const fn word(is_override: bool) -> &'static str {
    if is_override { Word::Override.as_str() } else { Word::Approve.as_str() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::NamedTarget;
    use super::*;

    /// Pieces of texts that end up as commands, as look-alikes, or as something that changes how others are read.
    fn pieces() -> impl Strategy<Value = String> {
        let long = ["x", " ", "\u{200b}", "\u{1f600}", "-"].map(|piece| piece.repeat(250));
        let short = [
            "/approve ",
            "/override ",
            "approve ",
            "Override ",
            "/aprove ",
            "\u{ff0f}approve ",
            "/ approve ",
            "production",
            "checkout:production",
            "staging",
            " because",
            ", ",
            ".",
            ":",
            " ",
            "\n",
            "\n\n",
            "\r",
            "`",
            "```",
            "~~~",
            "<!--",
            "-->",
            "> ",
            "- ",
            "x",
            "\u{202e}",
            "\u{200b}",
            "/approve production\n",
            "/override production down\n",
            "\n```\n",
        ];
        let pieces: Vec<String> = short.into_iter().map(str::to_owned).chain(long).collect();
        prop::collection::vec(select(pieces), 0..14).prop_map(|pieces| pieces.concat())
    }

    fn read(body: &str, knows: fn(&NamedTarget) -> bool) -> Command {
        ReviewText::read(body).command(knows)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn the_kept_text_reads_as_the_whole_one_or_approves_nothing(body in pieces()) {
            let text = kept(&body);
            let knowing: [fn(&NamedTarget) -> bool; 3] =
                [|_| true, |_| false, |target| target.environment.as_str() == "production"];
            for knows in knowing {
                match (read(&body, knows), read(&text, knows)) {
                    (_, Command::Unclear(_)) => {}
                    (Command::Override(target, whole), Command::Override(of, reason)) => {
                        prop_assert!(target == of && whole.starts_with(&reason), "{:?}: {:?}", body, text);
                    }
                    (whole, kept) => prop_assert_eq!(whole, kept, "{:?}: {:?}", body, text),
                }
            }
        }

        #[test]
        fn the_kept_text_is_short_and_is_kept_whole(body in pieces()) {
            let text = kept(&body);
            prop_assert!(text.chars().count() <= 3 * LONGEST + 10, "{:?}", text);
            prop_assert_eq!(kept(&text), text);
        }
    }

    #[test]
    fn a_text_of_the_greatest_length_is_read_at_once() {
        for piece in ["/", "/x", "` ", "`\n", "<!---->", "<!--\n-->\n", "/aprov ", "x /aprove ", "\u{200b}", "> ", "\n"]
        {
            let body: String = piece.chars().cycle().take(65_536).collect();
            assert!(kept(&body).chars().count() <= LONGEST + 2, "{piece:?}");
        }
    }

    #[test]
    fn short_commands_are_kept_whole_and_other_text_is_not() {
        let long = "word ".repeat(100);
        for (body, expected) in [
            ("LGTM", ""),
            ("Nice.\n\n/approve production\nbye", "/approve production"),
            ("/approve staging\n/approve production", "/approve staging\n\n/approve production"),
            ("/override production down", "/override production down"),
            ("approve production\nand more", "approve production"),
            ("nothing\napprove production", ""),
            ("hi\n/aprove staging\n/approve production", "/aprove staging"),
            ("> /approve staging", "> /approve staging"),
            ("x\n```\n/approve staging\n```", "> /approve staging"),
            ("<!--\n/approve staging\n-->", "> /approve staging"),
            (&format!("{long}\n{long}"), ""),
            (&format!("- {long}/approve staging"), "> /approve staging"),
            (&format!("/{}approve staging", " ".repeat(300)), "> /approve"),
            (&format!("approve{}staging", " ".repeat(300)), "approve staging"),
        ] {
            assert_eq!(kept(body), expected, "{body:?}");
        }
    }

    #[test]
    fn long_commands_approve_nothing_and_a_long_reason_loses_its_end() {
        let targets = format!("/approve {}", vec!["checkout:production"; 20].join(", "));
        let lines = ["/approve checkout:production"; 20].join("\n");
        let overrides = format!("/override production {}\n/override production too", "x".repeat(1_000));
        for body in [&targets, &lines, &overrides] {
            assert!(is_unclear(&kept(body)), "{:?}", kept(body));
        }
        assert!(matches!(ReviewText::read(&targets).command, Command::Approve(_)), "the whole text does approve");
        let reason = kept(&format!("/override production {}", "x".repeat(1_000)));
        assert_eq!(reason.chars().count(), LONGEST);
        assert!(matches!(ReviewText::read(&reason).command, Command::Override(..)), "{reason}");
    }
}
