"""Many clients, few environments, and processes that are killed: nobody gets another's answer, and memory stays."""

import http.client
import itertools
import json
import os
import random
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.support.gateways import gateway

REQUESTS, CLIENTS, WORKERS = 20_000, 50, 4
EARLY = 5_000
SPARE = 4  # connections that are being closed
KILL_EVERY_SECONDS = 0.25
FAILED = (500, b'{"message":"Internal Server Error"}')


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


class Clients:
    """Clients that send numbered requests, and what became of each."""

    def __init__(self, port):
        self.port = port
        self.numbers = itertools.count()
        self.answers = [0] * REQUESTS
        self.wrong = []
        self.failures = 0
        self.done = 0
        self.pids = set()
        self.lock = threading.Lock()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while (number := next(self.numbers)) < REQUESTS:
            connection.request("GET", f"/?token={number}")
            response = connection.getresponse()
            self.take(number, (response.status, response.read()))
        connection.sock.settimeout(0.2)
        try:
            extra = connection.sock.recv(1)
        except TimeoutError:
            extra = b""
        if extra:
            self.wrong.append("an answer that nobody asked for")
        connection.close()

    def take(self, number, answer):
        with self.lock:
            self.done += 1
            self.answers[number] += 1
            if answer == FAILED:
                self.failures += 1
                return
            seen = json.loads(answer[1]) if answer[0] == 200 else {}
            if seen.get("event", {}).get("rawQueryString") != f"token={number}":
                self.wrong.append((number, answer))
                return
            self.pids.add(seen["pid"])


@pytest.mark.slow
def test_each_of_many_requests_gets_one_answer_while_environments_die(tmp_path):
    chance = random.Random(4)
    kills = 0
    with gateway(tmp_path, GATEWAY_WORKERS=str(WORKERS)) as made:
        clients = Clients(made.port)
        threads = [threading.Thread(target=clients.run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        early = None
        while any(thread.is_alive() for thread in threads):
            time.sleep(KILL_EVERY_SECONDS)
            if early is None and clients.done >= EARLY:
                early = resident_kib(made.process.pid)
            with clients.lock:
                pids, clients.pids = sorted(clients.pids), set()
            if pids and clients.done < REQUESTS:
                try:
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    continue
        for thread in threads:
            thread.join()
        late = resident_kib(made.process.pid)
        left = {kind: len(list(Path(f"/proc/{made.process.pid}/{kind}").iterdir())) for kind in ("fd", "task")}

    print(f"{kills} kills, {clients.failures} answers of 500, {early} KiB at {EARLY}, {late} KiB at {REQUESTS}; {left}")
    assert clients.wrong == []
    assert clients.answers == [1] * REQUESTS
    assert kills > 10
    assert clients.failures <= kills
    assert late <= 1.05 * early
    # an environment has a thread, one for its process, two for its Runtime API; the other three serve the ports
    assert left["task"] <= 3 + 4 * WORKERS + SPARE
    assert left["fd"] <= 5 + 4 * WORKERS + SPARE
