"""A standalone XRP Ledger for tests: starts in milliseconds, closes ledgers when told, keeps nothing.

    with Standalone() as ledger:
        client = JsonRpcClient(ledger.rpc_url)      # xrpl-py, or any other client

The program that it starts comes with this package. It ends with this process, however that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

__all__ = ["Account", "LedgerError", "Standalone", "binary"]

# Longer than any request takes, shorter than anybody waits.
_PATIENCE_SECONDS = 30


class LedgerError(Exception):
    """The ledger does not start, or answers with an error."""


@dataclass(frozen=True)
class Account:
    """A funded account, with the seed that its keys come from (ed25519)."""

    address: str
    seed: str


def binary() -> str:
    """The program: that of XRPL_STANDALONE if it is set, else the one in this package."""
    chosen = os.environ.get("XRPL_STANDALONE")
    return chosen or str(Path(__file__).with_name("bin") / "xrpl-standalone")


class Standalone:
    """A running ledger. ``arguments`` are those of the command line, ``--close-on-submit`` for one."""

    def __init__(self, arguments: Sequence[str] = ("--close-on-submit",), accounts: int = 3) -> None:
        self.ws_url = ""
        self.rpc_url = ""
        self.accounts: list[Account] = []
        command = [binary(), "--ws-port", "0", "--rpc-port", "0", "--quiet", "--end-with-stdin"]
        command += ["--accounts", str(accounts), *arguments]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise LedgerError(f"cannot start {command[0]}: {error}") from error
        self._read_introduction()

    def _read_introduction(self) -> None:
        assert self._process.stdout is not None and self._process.stderr is not None
        # The last line of the introduction is the example that closes a ledger.
        for line in self._process.stdout:
            words = line.split()
            if line.startswith("websocket"):
                self.ws_url = words[1]
            elif line.startswith("JSON-RPC"):
                self.rpc_url = words[1]
            elif line.startswith("r") and len(words) == 2:
                self.accounts.append(Account(*words))
            elif "ledger_accept" in line:
                return
        said = self._process.stderr.read().strip()
        self._process.wait()
        raise LedgerError(f"xrpl-standalone does not start: {said}")

    @property
    def faucet_url(self) -> str:
        """What ``generate_faucet_wallet`` takes as ``faucet_host``."""
        return self.rpc_url

    def request(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method of the ledger or a control method; returns its result."""
        body = json.dumps({"method": method, "params": [parameters]}).encode()
        call = urllib.request.Request(self.rpc_url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=_PATIENCE_SECONDS) as reply:
            result: dict[str, Any] = json.load(reply)["result"]
        if result.get("status") != "success":
            raise LedgerError(f"{method}: {result.get('error')}: {result.get('error_message', '')}")
        return result

    def accept(self) -> int:
        """Closes a ledger, and returns the index of the next."""
        return int(self.request("ledger_accept")["ledger_current_index"])

    def advance_time(self, seconds: int) -> None:
        """Moves ledger time on by closing one ledger so many seconds after the last."""
        self.request("standalone_advance_time", seconds=seconds)

    def fund(self, address: str, xrp: int) -> None:
        """Pays an account, or makes it, and closes a ledger."""
        self.request("standalone_fund", account=address, drops=str(xrp * 1_000_000))

    def impersonate(self, address: str, enabled: bool = True) -> None:
        """Takes transactions of an account whoever signed them."""
        self.request("standalone_impersonate", account=address, enabled=enabled)

    def snapshot(self) -> int:
        """Keeps the ledger as it is, and returns the number to restore it by."""
        return int(self.request("standalone_snapshot")["snapshot"])

    def restore(self, snapshot: int) -> None:
        """Puts the ledger back; its indexes go back with it."""
        self.request("standalone_restore", snapshot=snapshot)

    def stop(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            self._process.terminate()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process.wait(_PATIENCE_SECONDS)

    def __enter__(self) -> Standalone:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
