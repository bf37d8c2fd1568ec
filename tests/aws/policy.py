"""The policy of the scenarios, as files for `countersign bundle`."""

import datetime
import pathlib

ENDPOINT = "https://hooks.acme.example/deployments"
DAY = 86_400
LAUNCH = 30 * DAY
"""How many seconds from now the `launch` calendar lasts."""

TEXT = """version: 1
groups:
  payments: {{ users: [pia, pat] }}
  sre: {{ users: [sam] }}
channels:
  oncall: {{ email: [oncall@acme.example], https: ["{endpoint}"] }}
calendars:
  launch: {{ timezone: UTC, dates: [{{ from: "{begin}", to: "{end}" }}] }}
defaults: {{ repository: acme/shop, timeout: 4h, notify: [oncall] }}
services:
  checkout:
    environments:
      production: {{ require: {production} }}
      europe: {{ require: 1 of payments }}
      canary: {{ require: 1 of payments, remind: 1h, escalate: {{ after: 2h, stand_in: {{ payments: [sre] }} }} }}
      timed: {{ require: 1 of payments, wait: 10m }}
      brief: {{ require: 1 of payments, timeout: 1m }}
      staging: {{ require: none }}
      frozen: {{ require: none, freeze: [launch] }}
      later: {{ require: 1 of payments, freeze: [{{ calendar: launch, effect: wait }}] }}
"""


def write(
    folder: pathlib.Path, production: str = "1 of payments", now: datetime.datetime | None = None
) -> pathlib.Path:
    """Writes the policy. `production` is the requirement of production."""
    begin = now or datetime.datetime.now(datetime.UTC)
    end = begin + datetime.timedelta(seconds=LAUNCH)
    folder.mkdir(parents=True, exist_ok=True)
    day = "%Y-%m-%d %H:%M"
    text = TEXT.format(endpoint=ENDPOINT, begin="2026-01-01 00:00", end=end.strftime(day), production=production)
    (folder / "policy.yaml").write_text(text)
    return folder
