"""The search for secrets finds a secret in every form in which it could leak, and nothing else."""

import base64
import os
import unittest

import leaks

TOKEN = base64.b64encode(b"\xff" + os.urandom(540)).decode()
FRAME = "-----BEGIN RSA PRIVATE KEY-----\n", "\n-----END RSA PRIVATE KEY-----\n"
KEY = FRAME[0] + "MIIEowIBAAKCAQEAabcdefgh\nqrstuvwxyz0123456789ABCDEFGHIJKL" + FRAME[1]


class LeakTests(unittest.TestCase):
    """Each test hides one secret in a text."""

    def looks(self, secret: str, text: str) -> list[str]:
        """Returns what the search finds of a secret in a text."""
        return leaks.found([leaks.Secret.of("it", secret)], {"here": f"before {text} after"})

    def test_a_token_is_found_whole_cut_and_escaped(self):
        self.assertEqual(self.looks(TOKEN, TOKEN), ["it in here"])
        self.assertEqual(self.looks(TOKEN, TOKEN.replace("/", "\\/")), ["it in here"])
        self.assertEqual(self.looks(TOKEN, TOKEN[: len(TOKEN) // 2]), ["it in here"])
        for at in range(0, len(TOKEN) - 48, 7):
            self.assertEqual(self.looks(TOKEN, TOKEN[at : at + 48]), ["it in here"])

    def test_any_line_of_a_key_gives_it_away_and_its_frame_does_not(self):
        self.assertEqual(self.looks(KEY, KEY.replace("\n", "\\n")), ["it in here"])
        self.assertEqual(self.looks(KEY, "qrstuvwxyz0123456789ABCDEFGHIJKL"), ["it in here"])
        self.assertEqual(self.looks(KEY, "-----BEGIN RSA PRIVATE KEY-----"), [])

    def test_another_secret_is_not_found(self):
        self.assertEqual(self.looks(TOKEN, TOKEN[::-1]), [])

    def test_a_secret_that_is_too_short_to_look_for_is_refused(self):
        with self.assertRaises(AssertionError):
            leaks.Secret.of("it", "short")


if __name__ == "__main__":
    unittest.main()
