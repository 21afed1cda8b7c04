# SPDX-License-Identifier: Apache-2.0
"""The judging and reporting half of bench/compare, on made-up figures."""

import unittest

import report
import targets


def request(us):
    return {"us": us, "user_us": us / 2, "system_us": us / 2, "per_s": round(1e6 / us), "lost": 0}


def cost(us_by_name):
    """A phase of CPU figures: {name: [µs in each round]}."""
    return {"rounds": {name: [{scenario: request(us) for scenario in ("refresh", "invite",
                                                                      "options")}
                              for us in values] for name, values in us_by_name.items()}}


def row_of(data, what, target=None):
    found = [row for row in targets.rows(data) if row.what == what]
    return found[0] if target is None else next(
        row for row in targets.rows(data) if row.target == target)


class Targets(unittest.TestCase):
    def test_without_data_every_row_is_there_and_none_is_judged(self):
        rows = targets.rows({})
        self.assertGreater(len(rows), 20)
        self.assertEqual([row for row in rows if row.met is not None], [])
        self.assertIn("0 of 0 targets met", report.table(rows))

    def test_ratio_is_taken_round_by_round(self):
        data = {"cost": cost({"signpost": [2, 4, 8], "kamailio": [14, 24, 40],
                              "echo": [2, 2, 2]})}
        row = row_of(data, "CPU per refreshing REGISTER")
        self.assertAlmostEqual(row.stretch, 6)  # of 7, 6 and 5; 24 / 4 only by chance
        self.assertTrue(row.met)
        self.assertEqual(row.figure, "1 / 6.00 (5.00..7.00)")

    def test_missed_target_says_so(self):
        data = {"cost": cost({"signpost": [4], "kamailio": [16], "echo": [2]})}
        self.assertFalse(row_of(data, "CPU per INVITE, answered 302").met)
        self.assertFalse(row_of(data, "", "1.5 x echo").met)
        self.assertIn("**no**", report.markdown_table(targets.rows(data)))

    def test_fewer_than_ten_million_bindings_are_no_proof(self):
        ones = {"10000": [{"refresh": request(3), "invite": request(3)}],
                "1000000": [{"refresh": request(3), "invite": request(3)}]}
        data = {"population": {"sizes": [10 ** 4, 10 ** 6],
                               "rounds": {"signpost": ones, "kamailio": ones}}}
        row = row_of(data, "cost per refresh at 1 M bindings")
        self.assertIsNone(row.met)
        self.assertIn("10 M", row.figure)

    def test_overload_without_recovery_is_missed(self):
        one = {"capacity": 100, "offered": 300, "goodput": 95, "oldest_ms": 20, "p99_ms": 9,
               "late": 0, "recovery_s": None}
        data = {"overload": {"seconds": 30, "rounds": {"signpost": [one], "kamailio": [one]}}}
        self.assertTrue(row_of(data, "  goodput, of the highest rate without loss").met)
        self.assertFalse(row_of(data, "  recovery").met)


class Disturbance(unittest.TestCase):
    def test_round_in_which_the_echo_was_slow_is_told(self):
        data = {"cost": cost({"echo": [2, 2, 2.1, 3, 2]})}
        self.assertEqual([(phase, number) for phase, number, _ in targets.disturbed(data)],
                         [("cost", 4)])

    def test_what_was_seen_while_measuring_is_told(self):
        data = {"curve": {"made": {"disturbed": [[2, "kamailio", "stolen"]]}}}
        self.assertEqual(targets.disturbed(data), [("curve", 2, "kamailio: stolen")])


if __name__ == "__main__":
    unittest.main()
