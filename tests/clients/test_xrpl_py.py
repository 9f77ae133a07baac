"""xrpl-py, unmodified, against xrpl-standalone: what its users do with a ledger, step by step."""

import asyncio
import hashlib
import secrets

import pytest
from conftest import GENESIS, RPC_URL, WS_URL, close_time, control
from xrpl.account import does_account_exist, get_balance, get_next_valid_seq_number
from xrpl.asyncio.clients import AsyncWebsocketClient, XRPLRequestFailureException
from xrpl.clients import JsonRpcClient
from xrpl.ledger import get_fee, get_latest_validated_ledger_sequence
from xrpl.models.amounts import IssuedCurrencyAmount
from xrpl.models.requests import (
    AccountInfo,
    AccountLines,
    AccountObjects,
    AccountTx,
    Fee,
    Ledger,
    LedgerData,
    LedgerEntry,
    ServerInfo,
    StreamParameter,
    SubmitMultisigned,
    Subscribe,
    Tx,
    Unsubscribe,
)
from xrpl.models.requests.account_objects import AccountObjectType
from xrpl.models.transactions import (
    AccountSet,
    AccountSetAsfFlag,
    DepositPreauth,
    EscrowCancel,
    EscrowCreate,
    EscrowFinish,
    Memo,
    Payment,
    SetRegularKey,
    SignerEntry,
    SignerListSet,
    TicketCreate,
    TrustSet,
)
from xrpl.transaction import (
    XRPLReliableSubmissionException,
    autofill,
    autofill_and_sign,
    multisign,
    sign,
    simulate,
    submit,
    submit_and_wait,
)
from xrpl.wallet import Wallet, generate_faucet_wallet

# Longer than anything here takes, shorter than anybody waits.
PATIENCE_SECONDS = 30


def pay(sender, receiver, drops, **more):
    return Payment(account=sender.address, destination=receiver.address, amount=str(drops), **more)


def accept(client):
    """Closes a ledger now, so that nobody waits for the next one."""
    return control(client, "ledger_accept")


def settle(client, transaction, wallet):
    """Fills in, signs, submits, closes a ledger, and returns what became of it."""
    signed = autofill_and_sign(transaction, client, wallet)
    submitted = submit(signed, client).result
    accept(client)
    result = client.request(Tx(transaction=signed.get_hash())).result
    assert result["validated"] is True, submitted
    return result


def succeed(client, transaction, wallet):
    result = settle(client, transaction, wallet)
    assert result["meta"]["TransactionResult"] == "tesSUCCESS"
    return result


def preimage_sha_256():
    """A condition and the fulfillment that opens it, as the ledger reads them."""
    preimage = secrets.token_bytes(32)
    condition = b"\xa0\x25\x80\x20" + hashlib.sha256(preimage).digest() + b"\x81\x01\x20"
    fulfillment = b"\xa0\x22\x80\x20" + preimage
    return condition.hex().upper(), fulfillment.hex().upper()


def test_a_client_connects_and_reads_what_the_server_is(client):
    info = client.request(ServerInfo()).result["info"]
    assert info["complete_ledgers"]
    assert info["validated_ledger"]["base_fee_xrp"] == 0.00001
    assert get_fee(client) == "10"
    assert client.request(Fee()).result["drops"]["minimum_fee"] == "10"
    index = get_latest_validated_ledger_sequence(client)
    ledger = client.request(Ledger(ledger_index=index, transactions=True)).result
    assert ledger["validated"] is True and ledger["ledger_index"] == index


def test_an_account_is_funded_by_a_payment_and_then_exists(client):
    wallet = Wallet.create()
    assert not does_account_exist(wallet.address, client)
    result = submit_and_wait(pay(GENESIS, wallet, 50_000_000), client, GENESIS).result
    assert result["meta"]["TransactionResult"] == "tesSUCCESS"
    assert result["meta"]["delivered_amount"] == "50000000"
    assert does_account_exist(wallet.address, client)
    assert get_balance(wallet.address, client) == 50_000_000
    assert get_next_valid_seq_number(wallet.address, client) == result["ledger_index"]


def test_the_faucet_funds_a_wallet(rpc):
    wallet = generate_faucet_wallet(rpc, faucet_host=RPC_URL)
    assert get_balance(wallet.address, rpc) == 100_000_000


def test_an_account_is_acted_for_whose_keys_nobody_has(rpc, people):
    control(rpc, "standalone_impersonate", account=people[0].address, enabled=True)
    forged = sign(autofill(pay(people[0], people[1], 1), rpc), Wallet.create())
    assert submit(forged, rpc).result["engine_result"] == "tesSUCCESS"


def test_autofill_sign_and_wait_with_both_kinds_of_keys(websocket, people):
    for sender in people[:2]:
        memo = Memo(memo_type=b"note".hex(), memo_data=b"rent".hex())
        filled = autofill(pay(sender, people[2], 1_000_000, destination_tag=7, memos=[memo]), websocket)
        assert filled.fee == "10" and filled.last_ledger_sequence is not None
        signed = sign(filled, sender)
        result = submit_and_wait(signed, websocket).result
        assert result["hash"] == signed.get_hash()
        assert result["tx_json"]["DestinationTag"] == 7
        assert result["tx_json"]["Memos"][0]["Memo"]["MemoData"] == b"rent".hex().upper()
    assert get_balance(people[2].address, websocket) == 1_002_000_000


def test_a_failed_transaction_is_raised_with_its_code(rpc, people):
    too_much = pay(people[0], people[1], 5_000_000_000)
    with pytest.raises(XRPLReliableSubmissionException, match="tecUNFUNDED_PAYMENT"):
        submit_and_wait(too_much, rpc, people[0])


def test_a_transaction_that_is_too_late_is_never_applied(rpc, people):
    filled = autofill(pay(people[0], people[1], 1, last_ledger_sequence=3), rpc)
    assert submit(sign(filled, people[0]), rpc).result["engine_result"] == "tefMAX_LEDGER"


def test_errors_arrive_as_the_client_knows_them(client, people):
    missing = client.request(AccountInfo(account=Wallet.create().address))
    assert not missing.is_successful() and missing.result["error"] == "actNotFound"
    unknown = client.request(Tx(transaction="A" * 64))
    assert unknown.result["error"] == "txnNotFound"
    no_ledger = client.request(Ledger(ledger_index=4_000_000))
    assert no_ledger.result["error"] == "lgrNotFound"
    forged = sign(autofill(pay(people[0], people[1], 1), client), people[1])
    # xrpl-py signs for whom it is asked to; the ledger knows that the key is not the account's.
    assert submit(forged, client).result["engine_result"] in ("tefBAD_AUTH", "tefBAD_AUTH_MASTER")
    signed = autofill_and_sign(pay(people[0], people[1], 1), client, people[0])
    spoiled = type(signed).from_xrpl({**signed.to_xrpl(), "Amount": "2"})
    with pytest.raises(XRPLRequestFailureException) as failure:
        submit(spoiled, client)
    assert "invalidTransaction" in str(failure.value)


def test_simulate_tells_and_changes_nothing(client, people):
    before = get_balance(people[0].address, client)
    result = simulate(pay(people[0], people[1], 1_000_000), client).result
    assert result["engine_result"] == "tesSUCCESS" and result["applied"] is False
    assert result["meta"]["delivered_amount"] == "1000000"
    assert simulate(pay(people[0], people[1], 1), client, binary=True).result["tx_blob"]
    result = simulate(pay(people[0], people[1], 9_000_000_000), client).result
    assert result["engine_result"] == "tecUNFUNDED_PAYMENT"
    accept(client)
    assert get_balance(people[0].address, client) == before


def test_signers_sign_together_and_too_few_are_refused(client, people):
    treasury, *signers = people
    entries = [SignerEntry(account=signer.address, signer_weight=1) for signer in signers]
    quorum = SignerListSet(account=treasury.address, signer_quorum=2, signer_entries=entries)
    succeed(client, quorum, treasury)
    filled = autofill(pay(treasury, signers[0], 5_000_000), client, signers_count=2)
    assert filled.fee == "30"
    parts = [sign(filled, signer, multisign=True) for signer in signers[:2]]
    lonely = submit(multisign(filled, parts[:1]), client).result
    assert lonely["engine_result"] == "tefBAD_QUORUM"
    together = multisign(filled, parts)
    reply = client.request(SubmitMultisigned(tx_json=together))
    assert reply.result["engine_result"] == "tesSUCCESS", reply.result
    accept(client)
    result = client.request(Tx(transaction=together.get_hash())).result
    assert result["validated"] is True and len(result["tx_json"]["Signers"]) == 2
    objects = AccountObjects(account=treasury.address, type=AccountObjectType.SIGNER_LIST)
    [listed] = client.request(objects).result["account_objects"]
    assert listed["SignerQuorum"] == 2 and len(listed["SignerEntries"]) == 3


def test_a_multi_signed_transaction_is_submitted_and_waited_for(websocket, people):
    treasury, one, two, _ = people
    entries = [SignerEntry(account=signer.address, signer_weight=1) for signer in (one, two)]
    succeed(websocket, SignerListSet(account=treasury.address, signer_quorum=2, signer_entries=entries), treasury)
    filled = autofill(pay(treasury, one, 3), websocket, signers_count=2)
    together = multisign(filled, [sign(filled, signer, multisign=True) for signer in (one, two)])
    result = submit_and_wait(together, websocket).result
    assert result["meta"]["TransactionResult"] == "tesSUCCESS"


def test_tickets_are_used_in_any_order(client, people):
    owner = people[0]
    succeed(client, TicketCreate(account=owner.address, ticket_count=3), owner)
    objects = AccountObjects(account=owner.address, type=AccountObjectType.TICKET)
    tickets = sorted(entry["TicketSequence"] for entry in client.request(objects).result["account_objects"])
    assert len(tickets) == 3
    for ticket in reversed(tickets[1:]):
        succeed(client, pay(owner, people[1], 1, sequence=0, ticket_sequence=ticket), owner)
    assert len(client.request(objects).result["account_objects"]) == 1
    again = pay(owner, people[1], 1, sequence=0, ticket_sequence=tickets[2])
    assert submit(autofill_and_sign(again, client, owner), client).result["engine_result"] == "tefNO_TICKET"


def test_an_escrow_opens_with_its_fulfillment_after_its_time(client, people):
    owner, destination, anybody, _ = people
    condition, fulfillment = preimage_sha_256()
    created = succeed(
        client,
        EscrowCreate(
            account=owner.address,
            destination=destination.address,
            amount="7000000",
            condition=condition,
            finish_after=close_time(client) + 100_000,
            cancel_after=close_time(client) + 200_000,
        ),
        owner,
    )
    sequence = created["tx_json"]["Sequence"]
    finish = EscrowFinish(
        account=anybody.address,
        owner=owner.address,
        offer_sequence=sequence,
        condition=condition,
        fulfillment=fulfillment,
    )
    assert settle(client, finish, anybody)["meta"]["TransactionResult"] == "tecNO_PERMISSION"
    entry = LedgerEntry(escrow={"owner": owner.address, "seq": sequence})
    assert client.request(entry).result["node"]["Amount"] == "7000000"
    control(client, "standalone_advance_time", seconds=100_001)
    _, wrong = preimage_sha_256()
    tried = settle(client, EscrowFinish.from_dict({**finish.to_dict(), "fulfillment": wrong}), anybody)
    assert tried["meta"]["TransactionResult"] == "tecCRYPTOCONDITION_ERROR"
    finished = succeed(client, finish, anybody)
    assert int(finished["tx_json"]["Fee"]) >= 330
    assert client.request(entry).result["error"] == "entryNotFound"
    assert get_balance(destination.address, client) == 1_007_000_000


def test_an_escrow_is_cancelled_after_its_time_and_not_before(rpc, people):
    owner, destination, anybody, _ = people
    condition, _ = preimage_sha_256()
    create = EscrowCreate(
        account=owner.address,
        destination=destination.address,
        amount="7000000",
        condition=condition,
        cancel_after=close_time(rpc) + 100_000,
    )
    sequence = succeed(rpc, create, owner)["tx_json"]["Sequence"]
    cancel = EscrowCancel(account=anybody.address, owner=owner.address, offer_sequence=sequence)
    assert settle(rpc, cancel, anybody)["meta"]["TransactionResult"] == "tecNO_PERMISSION"
    control(rpc, "standalone_advance_time", seconds=100_001)
    succeed(rpc, cancel, anybody)
    assert get_balance(destination.address, rpc) == 1_000_000_000


def test_an_issued_currency_is_trusted_issued_and_paid(client, people):
    issuer, holder, other, _ = people
    succeed(client, AccountSet(account=issuer.address, set_flag=AccountSetAsfFlag.ASF_DEFAULT_RIPPLE), issuer)

    def usd(value):
        return IssuedCurrencyAmount(currency="USD", issuer=issuer.address, value=value)

    for person in (holder, other):
        succeed(client, TrustSet(account=person.address, limit_amount=usd("1000")), person)
    succeed(client, Payment(account=issuer.address, destination=holder.address, amount=usd("250.5")), issuer)
    between = Payment(account=holder.address, destination=other.address, amount=usd("100"), send_max=usd("100"))
    delivered = succeed(client, between, holder)["meta"]["delivered_amount"]
    assert delivered == {"currency": "USD", "issuer": issuer.address, "value": "100"}
    lines = client.request(AccountLines(account=holder.address)).result["lines"]
    assert [(line["balance"], line["currency"], line["account"]) for line in lines] == [
        ("150.5", "USD", issuer.address)
    ]


def test_settings_keys_and_deposit_authorization_are_an_accounts_own(rpc, people):
    owner, guest, stranger, key = people
    succeed(rpc, AccountSet(account=owner.address, domain=b"example.com".hex()), owner)
    succeed(rpc, SetRegularKey(account=owner.address, regular_key=key.address), owner)
    succeed(rpc, AccountSet(account=owner.address, set_flag=AccountSetAsfFlag.ASF_DEPOSIT_AUTH), key)
    succeed(rpc, DepositPreauth(account=owner.address, authorize=guest.address), key)
    succeed(rpc, pay(guest, owner, 5), guest)
    refused = settle(rpc, pay(stranger, owner, 5), stranger)
    assert refused["meta"]["TransactionResult"] == "tecNO_PERMISSION"
    data = rpc.request(AccountInfo(account=owner.address)).result
    assert data["account_data"]["RegularKey"] == key.address
    assert data["account_data"]["Domain"] == b"example.com".hex().upper()
    assert data["account_flags"]["depositAuth"] is True


def test_account_tx_turns_pages_both_ways(client, people):
    sender, receiver = people[:2]
    hashes = [succeed(client, pay(sender, receiver, amount), sender)["hash"] for amount in range(1, 6)]

    def all_pages(**more):
        marker, seen = None, []
        while True:
            request = AccountTx(account=sender.address, limit=2, marker=marker, **more)
            result = client.request(request).result
            assert all(entry["validated"] for entry in result["transactions"])
            seen += [entry["hash"] for entry in result["transactions"]]
            marker = result.get("marker")
            if marker is None:
                return seen

    forward = all_pages(forward=True)
    assert forward[1:] == hashes and len(forward) == 6
    assert all_pages() == forward[::-1]


def test_ledger_data_lists_the_whole_state_page_by_page(rpc, people):
    index = get_latest_validated_ledger_sequence(rpc)
    marker, seen = None, []
    while True:
        result = rpc.request(LedgerData(ledger_index=index, limit=5, marker=marker)).result
        seen += result["state"]
        marker = result.get("marker")
        if marker is None:
            break
    accounts = {entry["Account"] for entry in seen if entry["LedgerEntryType"] == "AccountRoot"}
    assert accounts >= {wallet.address for wallet in people}
    assert len({entry["index"] for entry in seen}) == len(seen)


def test_a_subscriber_hears_of_every_ledger_and_its_transactions(people):
    sender, receiver = people[:2]

    async def listen():
        async with asyncio.timeout(PATIENCE_SECONDS), AsyncWebsocketClient(WS_URL) as client:
            streams = [StreamParameter.LEDGER, StreamParameter.TRANSACTIONS]
            reply = await client.request(Subscribe(streams=streams, accounts=[receiver.address]))
            assert reply.is_successful() and reply.result["ledger_index"] > 0
            signed = await asyncio.to_thread(submit_one)
            ledgers, found = [], None
            async for message in client:
                if message["type"] == "ledgerClosed":
                    ledgers.append(message["ledger_index"])
                if message["type"] == "transaction" and message["hash"] == signed:
                    found = message
                if found is not None and ledgers[-1] > found["ledger_index"]:
                    break
            assert found["validated"] is True and found["engine_result"] == "tesSUCCESS"
            assert found["meta"]["delivered_amount"] == "4"
            assert found["tx_json"]["Destination"] == receiver.address
            assert found["ledger_index"] in ledgers
            assert ledgers == list(range(ledgers[0], ledgers[0] + len(ledgers)))
            reply = await client.request(Unsubscribe(streams=streams))
            assert reply.is_successful()

    def submit_one():
        client = JsonRpcClient(RPC_URL)
        signed = autofill_and_sign(pay(sender, receiver, 4), client, sender)
        assert submit(signed, client).result["engine_result"] == "tesSUCCESS"
        return signed.get_hash()

    asyncio.run(listen())


def test_a_snapshot_puts_the_ledger_back(rpc, people):
    number = control(rpc, "standalone_snapshot")["snapshot"]
    succeed(rpc, pay(people[0], people[1], 9), people[0])
    assert get_balance(people[1].address, rpc) == 1_000_000_009
    control(rpc, "standalone_restore", snapshot=number)
    assert get_balance(people[1].address, rpc) == 1_000_000_000
