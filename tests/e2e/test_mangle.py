# SPDX-License-Identifier: Apache-2.0
"""100,000 mutated datagrams: the server lives, still answers, and its bindings are intact.

The seed is fixed; SIGNPOST_MANGLE_SEED takes another one, SIGNPOST_MANGLE_COUNT another number.
"""

import os
import unittest

from support import EndToEnd, executable, token

COUNT = int(os.environ.get("SIGNPOST_MANGLE_COUNT", "100000"))
SEED = int(os.environ.get("SIGNPOST_MANGLE_SEED", "1"))
PROTECTED = 100
TIMEOUT_S = 540  # just below ctest's: then the seed and the server's log are still printed


class Mangle(EndToEnd):
    def test_bindings_outlive_mutated_datagrams(self):
        server = self.start("-w", "3", hosts=("127.0.0.1", "::1"))
        client = self.client(server)
        # names that no mutation of "u17" happens upon
        bindings = {
            f"sip:{token(128)}@{server.domain}": f"sip:{token()}@192.0.2.{n}:5060"
            for n in range(PROTECTED)
        }
        for aor, contact in bindings.items():
            data = client.register(aor, f"<{contact}>", expires=3600, call_id=token())
            self.assertEqual(client.ask(data).status, 200)

        mangle = self.spawn([executable("MANGLE"), "127.0.0.1", server.port, COUNT, SEED])
        status = mangle.wait(TIMEOUT_S)
        self.assertEqual(status, 0, mangle.output[-4000:])
        print(mangle.lines[-1])

        self.assertTrue(server.running())
        for aor, contact in bindings.items():
            self.assertEqual(client.call(aor).uris(), [contact])
            self.assertGreater(client.ask(client.register(aor)).expiries()[contact], 0)
        # the test has tested something: nearly all of it arrived, and was of every kind
        counted = server.metrics()
        self.assertGreater(counted["signpost_datagrams_received_total"], 0.9 * COUNT)
        for reason in ("garbage", "response", "no_via"):
            self.assertGreater(counted[f'signpost_dropped_total{{reason="{reason}"}}'], 0)
        for code in (200, 302, 400, 404, 481):
            self.assertGreater(counted[f'signpost_responses_total{{code="{code}"}}'], PROTECTED)
        # and at the end (support.py): exit status 0, and no sanitizer has found a thing


if __name__ == "__main__":
    unittest.main()
