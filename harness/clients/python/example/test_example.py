"""What the README shows, and what else a first test may want. Run by `.ci/packages` in an environment of its own."""

import os
import statistics
import time

from xrpl.clients import JsonRpcClient, WebsocketClient
from xrpl.models.transactions import EscrowCreate, EscrowFinish, Payment
from xrpl.transaction import submit_and_wait
from xrpl.wallet import Wallet, generate_faucet_wallet
from xrpl_standalone import Standalone


def close_time(ledger):
    return ledger.request("ledger", ledger_index="validated")["ledger"]["close_time"]


def test_a_payment_arrives(xrpl_ledger):
    client = JsonRpcClient(xrpl_ledger.rpc_url)
    alice, bob, _ = xrpl_ledger.accounts
    payment = Payment(account=alice.address, destination=bob.address, amount="5000000")
    result = submit_and_wait(payment, client, Wallet.from_seed(alice.seed)).result
    assert result["meta"]["delivered_amount"] == "5000000"


def test_nothing_is_left_of_the_test_before(xrpl_ledger):
    balances = [xrpl_ledger.request("account_info", account=account.address) for account in xrpl_ledger.accounts]
    assert [info["account_data"]["Balance"] for info in balances] == ["1000000000"] * 3


def test_a_month_passes_at_once(xrpl_ledger):
    alice, bob, _ = xrpl_ledger.accounts
    wallet = Wallet.from_seed(alice.seed)
    later = close_time(xrpl_ledger) + 30 * 86_400
    with WebsocketClient(xrpl_ledger.ws_url) as client:
        escrow = EscrowCreate(account=alice.address, destination=bob.address, amount="7000000", finish_after=later)
        sequence = submit_and_wait(escrow, client, wallet).result["tx_json"]["Sequence"]
        xrpl_ledger.advance_time(30 * 86_400 + 1)
        finish = EscrowFinish(account=alice.address, owner=alice.address, offer_sequence=sequence)
        assert submit_and_wait(finish, client, wallet).result["meta"]["TransactionResult"] == "tesSUCCESS"


def test_a_faucet_funds_a_wallet(xrpl_ledger):
    client = JsonRpcClient(xrpl_ledger.rpc_url)
    wallet = generate_faucet_wallet(client, faucet_host=xrpl_ledger.faucet_url)
    assert xrpl_ledger.request("account_info", account=wallet.address)["account_data"]["Balance"] == "100000000"


def test_a_ledger_is_ready_before_anybody_waits():
    """What the fixtures do before a test has its ledger: start the program, and keep the ledger as it is."""
    times = []
    for _ in range(20):
        began = time.perf_counter()
        with Standalone() as ledger:
            ledger.snapshot()
            times.append((time.perf_counter() - began) * 1000)
    median = statistics.median(times)
    print(f"ready in {median:.1f} ms, at worst {max(times):.1f} ms, of {len(times)} times")
    assert median < float(os.environ.get("XRPL_READY_MS", "1000"))
