# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load; in short, and without a look at how fast the machine is (kill.py does it at
length and measures)."""

import random
import unittest

from kill import Killing
from support import EndToEnd

ROUNDS = 3
# So few that one group takes all that has changed.
USERS = 2000


class KillingUnderLoad(EndToEnd):
    def rounds(self, durability, power=False):
        killing = Killing(durability, USERS, self.directory(), power)
        self.addCleanup(killing.close)
        for _ in range(ROUNDS):
            verdict, _, safe_us = killing.round(random.uniform(0.1, 0.5))
            self.processes = [killing.server]
            self.assertEqual(verdict.refused, [])
            self.assertEqual(verdict.impossible, [])
            self.assertGreater(verdict.acknowledged, 0)
            yield verdict, safe_us

    def test_sync_loses_nothing_and_brings_nothing_back(self):
        for power in (False, True):
            for verdict, _ in self.rounds("sync", power):
                self.assertEqual(verdict.lost, [])

    def test_async_has_what_was_acknowledged_before_its_latest_sync_began(self):
        for power in (False, True):
            for verdict, safe_us in self.rounds("async", power):
                self.assertEqual([request for request in verdict.lost if request[5] < safe_us], [])


if __name__ == "__main__":
    unittest.main()
