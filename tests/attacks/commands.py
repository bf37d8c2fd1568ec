"""Commands: look-alikes, and commands where nobody expects them. A slip never approves more than was meant."""

from facts import SAM, decided, reason, with_body
from registry import attack

SLASHES = "\uff0f\u2215\u2044\u2571\u29f8\u27cb\u2041\u1735\u3033\u2cc6"
"""Characters that look like `/`, from Unicode's list of confusables."""
COLONS = "\uff1a\ua789\u2236\u02d0\u05c3\ufe55\u0589\u0703"
"""Characters that look like `:`."""
COMMAS = "\uff0c\u201a\u060c\u3001\ufe50"
LETTERS = {
    "Cyrillic \u0430": "\u0430pprove",
    "Cyrillic \u0440": "a\u0440prove",
    "Cyrillic \u043e": "appr\u043eve",
    "Cyrillic \u0435": "approv\u0435",
    "Greek \u03bf": "appr\u03bfve",
    "Greek \u03bd": "appro\u03bde",
    "Latin \u0251": "\u0251pprove",
    "dotted": "appro\u1e7fe",
    "accented": "\u00e1pprove",
    "full width": "\uff41pprove",
    "four Cyrillic letters": "\u0430\u0440\u0440r\u043eve",
    "all full width": "\uff41\uff50\uff50\uff52\uff4f\uff56\uff45",
    "mathematical bold": "\U0001d41a\U0001d429\U0001d429\U0001d42b\U0001d428\U0001d42f\U0001d41e",
}
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u2061\ufe0f\u061c\u200e\u202e\u2066\u115f\u3164"
"""Characters without a glyph, in the middle of a word."""
BLANKS = "\u00a0\u1680\u2003\u2007\u202f\u205f\u3000\u2800"
"""Characters that look like a space."""
SEPARATORS = "\r\u2028\u2029\u000b\u000c\u0085"
"""What some programs, and not others, read as the end of a line."""
MISSPELT = (
    "aprove",
    "approv",
    "apprrove",
    "apporve",
    "paprove",
    "pprove",
    "approvee",
    "approve!",
    "Approved",
    "APROVE",
)


def not_widened(world, bodies, environment="production"):
    """Yields, for each text with which pia approves, whether production is still pending."""
    given = [with_body(body, environment) for body in bodies]
    for body, decision in zip(bodies, decided(world, given)):
        yield ascii(body)[:70], decision["verdict"] == "pending", f"{decision['verdict']} {reason(decision)}"


@attack("`/approve staging` with a look-alike of the slash", "approves nothing")
def confusable_slashes(w):
    yield from not_widened(w, [f"{slash}approve staging" for slash in SLASHES])
    yield from not_widened(w, [f"Looks good\n\n{slash}approve checkout:staging" for slash in SLASHES])


@attack("`/approve checkout:staging` with a look-alike of the colon or the comma", "approves nothing, or staging only")
def confusable_colons(w):
    yield from not_widened(w, [f"/approve checkout{colon}staging" for colon in COLONS])
    yield from not_widened(w, [f"/approve staging{comma}two" for comma in COMMAS])


@attack("`/approve staging` with look-alikes of letters", "approves nothing")
def confusable_letters(w):
    yield from not_widened(w, [f"/{word} staging" for word in LETTERS.values()])
    yield from not_widened(w, ["/approve st\u0430ging", "/approve \uff53taging", "/approve checkout:\u017ftaging"])


@attack("`/approve staging` with invisible characters or odd spaces", "approves nothing, or staging only")
def invisible_characters(w):
    yield from not_widened(w, [f"/app{mark}rove staging" for mark in INVISIBLE])
    yield from not_widened(w, [f"{mark}/approve staging" for mark in INVISIBLE])
    yield from not_widened(w, [f"/{mark}approve staging" for mark in INVISIBLE])
    yield from not_widened(w, [f"/approve{blank}staging" for blank in BLANKS])
    yield from not_widened(w, [f"{blank}{blank}/approve staging" for blank in BLANKS])


@attack("a misspelt command", "approves nothing")
def misspelt_commands(w):
    yield from not_widened(w, [f"/{word} staging" for word in MISSPELT])
    yield from not_widened(w, [f"LGTM\n/{word} staging" for word in MISSPELT])


@attack("a second command behind a character that some read as the end of a line", "never approves production")
def odd_line_ends(w):
    yield from not_widened(w, [f"/approve staging{end}/approve production" for end in SEPARATORS])
    yield from not_widened(w, [f"LGTM{end}/approve staging" for end in SEPARATORS])


@attack(
    "a command in a quote, code, a comment, bold, a link, a list, behind a mention or other text", "approves nothing"
)
def dressed_commands(w):
    yield from not_widened(
        w,
        [
            "```\n/approve staging\n```",
            "~~~sh\n/approve staging\n~~~",
            "> /approve staging",
            "> fine\n> /approve staging",
            "<!-- /approve staging -->",
            "<!--\n/approve staging\n-->",
            "`/approve staging`",
            "**/approve staging**",
            "_/approve staging_",
            "[/approve staging](https://x.example)",
            "- /approve staging",
            "* /approve staging",
            "1. /approve staging",
            "@dave /approve staging",
            "@dave: /approve staging",
            "LGTM /approve staging",
            "LGTM, /approve staging",
            "(/approve staging)",
            '"/approve staging"',
            "\\/approve staging",
            "# /approve staging",
            "| /approve staging |",
            "approve staging",
            "Approve checkout:staging",
            "\n\napprove staging\nthanks",
            "```\nunclosed\n/approve staging",
            "<!-- unclosed\n/approve staging",
            "<details>\n/approve staging",
        ],
    )


@attack("a command anywhere but on the first line", "narrows the approval")
def commands_further_down(w):
    yield from not_widened(
        w,
        [
            "LGTM\n\n/approve staging",
            "> fine by me\n\n/approve staging",
            "<!-- template -->\n/approve staging",
            "```\ncode\n```\n/approve staging",
            "/lgtm\n/approve staging",
            "LGTM\n    /approve staging",
            "LGTM\r\n/approve staging",
            "\n" * 5_000 + "/approve staging",
            "x\n" * 5_000 + "/approve staging",
            "LGTM\n" + " " * 20_000 + "/approve staging",
            "<!-- a --> <!-- b -->\n/approve staging\n<!-- c -->",
        ],
    )


@attack("a right command beside something that only looks like one", "approves nothing")
def a_right_and_a_wrong_command(w):
    yield from not_widened(
        w,
        [
            "/approve production\n/aprove staging",
            "/approve production\n`/approve staging`",
            "/approve production\n> /approve staging",
            "/approve production and staging",
            "/approve production\n/override staging x",
            "/approve production\n\uff0fapprove staging",
            "/approve production\nLGTM /approve two",
            "/override production x\n/approve production",
            "<!--\n/approve production\n-->\n/approve production",
        ],
    )


@attack("an approval where it must be named, by anything but a command that names it", "approves nothing")
def explicit_not_named(w):
    yield from not_widened(
        w,
        [
            "",
            "LGTM",
            "vault",
            "approve",
            "/approve",
            "/approve vaults",
            "/approve billing:vault",
            "/approve *",
            "/approve checkout:*",
            "approve vault",
            "/approve vault ok",
            "`/approve vault`",
            "/approve\nvault",
            "/approve v\u0430ult",
            "/approve /va.*/",
        ],
        environment="vault",
    )


@attack("an override without a reason, by look-alikes, beside other commands or in code", "no override")
def crooked_overrides(w):
    bodies = [
        "/override production",
        "/override production \u200b",
        "/override production \u2800",
        "/override production   ",
        "\uff0foverride production down",
        "/overide production down",
        "`/override production down`",
        "> /override production down",
        "```\n/override production down\n```",
        "<!-- /override production down -->",
        "LGTM /override production down",
        "/override production down\n/override staging down",
        "/approve staging\n/override production down",
        "override production down",
        "/override staging down",
        "/override billing:production down",
        "/override * down",
        "/override production\ndown",
        "/\u043everride production down",
    ]
    for body, decision in zip(bodies, decided(w, [with_body(body, user=SAM) for body in bodies])):
        refused = decision["verdict"] == "pending" and decision["override"] is None
        yield ascii(body)[:70], refused, decision["verdict"]


@attack("a list of targets that is longer than what the gate keeps", "approves nothing that is not read")
def long_commands(w):
    bodies = [
        "/approve " + "staging, " * 40 + "two",
        "/approve staging\n" * 60,
        "/approve " + "x" * 300,
        "/approve two" + " " * 300 + ", vault",
    ]
    yield from not_widened(w, bodies)
    pull = w.pull()
    run = w.begin("production", pull)
    pull.review("pia", body=bodies[0])
    yield "on the running gate", *run.refused()


@attack("look-alikes on the running gate", "not named, and the reason says so")
def look_alikes_on_the_gate(w):
    for body in (
        "/approve\u00a0staging",
        "/\u0430pprove staging",
        "`/approve staging`",
        "**/approve staging**",
        "/approve: staging",
        "```\n/approve staging\n```",
        "\uff0fapprove staging",
        "LGTM\n\n/approve staging",
        "approve staging",
    ):
        pull = w.pull()
        run = w.begin("production", pull)
        pull.review("pia", body=body)
        refused, seen = run.refused(0.5)
        yield ascii(body), refused and run.reason_of("pia") == "not-named", seen


@attack("one review for three requests: `/approve staging`", "only staging is released")
def one_review_for_three_requests(w):
    pull = w.pull()
    production, staging, vault = (w.begin(name, pull) for name in ("production", "staging", "vault"))
    pull.review("pia", body="/approve staging")
    yield "staging", staging.released(), staging.seen()
    yield "production", *production.refused()
    yield "vault", *vault.refused(0.3)


@attack("an override by an outsider, by the author, as a comment, for another target", "no override")
def override_by_the_wrong_people(w):
    pull = w.pull(by="sam")
    run = w.begin("production", pull)
    for who in ("mallory", "dana"):
        pull.review(who, body="/override production because")
    w.hub("PATCH", "/_standin/repos/acme/checkout", {"allow_self_review": True})
    pull.review("sam", body="/override production because")
    w.hub("PATCH", "/_standin/repos/acme/checkout", {"allow_self_review": False})
    yield "the author, and people who may not", *run.refused()
    pull = w.pull()
    run = w.begin("production", pull)
    pull.review("sam", body="/override staging because")
    pull.review("sam", "COMMENT", "/override production because")
    pull.review("sam", "REQUEST_CHANGES", "/override production because")
    yield "another target, a comment, requested changes", *run.refused()
