"""xrpl-py's own integration tests, unmodified, against ledgers on loopback.

Where they ask a test network they ask a second ledger here, which closes by itself; nothing leaves the machine.

    run.py [TEST ...]     by names as unittest takes them; without any, all of them

In the folder that holds `tests` and `.ci-config`, with LEDGER_WS, LEDGER_RPC, NETWORK_WS and NETWORK_RPC set. Prints a line for each test:
`pass`, `fail` or `skip`, and its name. What failed is told on standard error.
"""

import os
import signal
import sys
import unittest
from urllib.parse import urlsplit

from xrpl.asyncio.clients import AsyncWebsocketClient
from xrpl.asyncio.clients.client import Client
from xrpl.clients import WebsocketClient

# A test that is never answered is over after so many seconds: each of its up to four variants, and what is around them.
PATIENCE_SECONDS = 60

# Tests print, too.
LINES = sys.stdout
sys.stdout = sys.stderr

PUBLIC_NETWORKS = ("s.altnet.rippletest.net", "s.devnet.rippletest.net")
LOOPBACK = ("127.0.0.1", "localhost")


def redirect() -> None:
    """Has every client that the tests make ask the ledgers on loopback."""
    connect = Client.__init__
    here = {os.environ[f"{world}_{kind}"] for world in ("LEDGER", "NETWORK") for kind in ("WS", "RPC")}

    def connect_here(self: Client, url: str) -> None:
        asked = urlsplit(url)
        if url in here:
            return connect(self, url)
        if asked.hostname in LOOPBACK:
            world = "LEDGER"
        elif asked.hostname in PUBLIC_NETWORKS:
            world = "NETWORK"
        else:
            raise ValueError(f"a test asks {url}")
        kind = "WS" if asked.scheme in ("ws", "wss") else "RPC"
        connect(self, os.environ[f"{world}_{kind}"])

    Client.__init__ = connect_here


def say(state: str, name: str) -> None:
    print(state, name, file=LINES, flush=True)


class Unanswered(Exception):
    """A test waits for something that does not come."""


class Lines(unittest.TextTestResult):
    """Prints a line for each test, and gives each fresh websockets: one that fails leaves its own in the middle."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.failed: set[str] = set()
        self.skipped_ones: set[str] = set()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        from tests.integration import it_utils

        # Whether a test finds them open is up to its class, which has opened them or not.
        for client in it_utils._CLIENTS.values():
            if isinstance(client, AsyncWebsocketClient):
                client.__init__(client.url)
            elif isinstance(client, WebsocketClient) and client.is_open():
                client.close()
                client.__init__(client.url)
                client.open()
        be_patient()

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        name = test.id()
        state = "fail" if name in self.failed else "skip" if name in self.skipped_ones else "pass"
        say(state, name)
        super().stopTest(test)

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)
        self.note(test)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)
        self.note(test)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)
        be_patient()
        if err is not None:
            self.note(test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.skipped_ones.add(test.id())

    def note(self, test: unittest.TestCase) -> None:
        self.failed.add(test.id())
        # What fails before the first test of a class or a file is no test, and nothing prints its line.
        if not isinstance(test, unittest.TestCase):
            say("fail", test.id())


def be_patient() -> None:
    # Again and again, as what it ends may be caught.
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS, PATIENCE_SECONDS)


def give_up(*_: object) -> None:
    raise Unanswered(f"no answer within {PATIENCE_SECONDS} seconds")


def main() -> int:
    redirect()
    signal.signal(signal.SIGALRM, give_up)
    sys.path.insert(0, os.getcwd())
    loader = unittest.defaultTestLoader
    names = sys.argv[1:]
    if names:
        suite = loader.loadTestsFromNames(names)
    else:
        suite = loader.discover("tests/integration", top_level_dir=".")
    result = unittest.TextTestRunner(verbosity=0, resultclass=Lines).run(suite)
    return 0 if result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
