# SPDX-License-Identifier: Apache-2.0
"""Several receivers, their CPUs and their sockets' buffers."""

import os
import re
import signal
import unittest

from support import EndToEnd


def cpus_of_threads(pid):
    """{CPUs that a thread may use, as the kernel writes them: how many threads}"""
    seen = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            cpus = re.search(r"^Cpus_allowed_list:\s*(\S+)$", status.read(), re.M)[1]
        seen[cpus] = seen.get(cpus, 0) + 1
    return seen


class Receivers(EndToEnd):
    def test_every_peer_is_answered_whichever_receiver_it_comes_to(self):
        server = self.start("--receivers", 3, "-w", 4, hosts=("127.0.0.1", "0.0.0.0"))
        for listener in 0, 1:
            for _ in range(30):  # none of three receivers is missed but by a wonder
                client = self.client(server, listener=listener)
                answer = client.ask(client.request("OPTIONS"))
                self.assertEqual(answer.status, 200)

    def test_a_binding_made_by_one_is_found_by_all(self):
        server = self.start("--receivers", 3, "-w", 3, "--udp-trains", "on")
        phone = self.client(server)
        contact = f"sip:bob@127.0.0.1:{phone.port}"
        aor = f"sip:bob@{server.domain}"
        self.assertEqual(phone.ask(phone.register(aor, f"<{contact}>")).status, 200)
        for _ in range(30):
            caller = self.client(server)
            answer = caller.ask(caller.request("INVITE", aor))
            self.assertEqual((answer.status, answer.uris()), (302, [contact]))

    def test_threads_keep_to_the_cpus_they_are_given(self):
        allowed = sorted(os.sched_getaffinity(0))
        first, last = str(allowed[0]), str(allowed[-1])
        server = self.start("--receivers", 2, "-w", 4, "--cpus-receivers", first,
                            "--cpus-workers", f"{last},{last}")
        seen = cpus_of_threads(server.pid)
        if first == last:
            self.assertGreaterEqual(seen[first], 6)
        else:
            self.assertEqual((seen[first], seen[last]), (2, 4))

    def test_datagrams_that_the_kernel_drops_are_counted(self):
        server = self.start("--receivers", 2, "-w", 2, "--receive-buffer-bytes", 4096)
        clients = [self.client(server) for _ in range(20)]
        server.signal(signal.SIGSTOP)
        for client in clients:  # 4 KB of buffer hold less
            for _ in range(20):
                client.send(client.request("OPTIONS"))
        server.signal(signal.SIGCONT)
        for client in clients:  # the loss is told with the next datagram that comes
            self.assertEqual(client.ask(client.request("OPTIONS")).status, 200)
        self.assertGreater(server.metric("signpost_datagrams_lost_total"), 0)

    def test_a_buffer_that_is_not_granted_is_told_with_the_remedy(self):
        most = 1 << 30  # one byte more than any kernel grants
        server = self.start("--receive-buffer-bytes", most, "--send-buffer-bytes", most)
        server.wait_line(r"warning: .* receive buffer .* net\.core\.rmem_max, .*"
                         r" receive-buffer-bytes")
        server.wait_line(r"warning: .* send buffer .* net\.core\.wmem_max, .* send-buffer-bytes")


if __name__ == "__main__":
    unittest.main()
