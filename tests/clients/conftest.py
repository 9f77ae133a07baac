"""The ledger under test, and what the tests of xrpl-py share.

`.ci/clients` starts `xrpl-standalone` and says where it is in LEDGER_WS and LEDGER_RPC. Ledgers close by themselves
several times a second; time is moved by `standalone_advance_time`, never slept.
"""

import os

import pytest
from xrpl.clients import JsonRpcClient, WebsocketClient
from xrpl.constants import CryptoAlgorithm
from xrpl.models.requests import GenericRequest, Ledger
from xrpl.wallet import Wallet

WS_URL = os.environ["LEDGER_WS"]
RPC_URL = os.environ["LEDGER_RPC"]

# The account that holds all XRP of a fresh ledger: public, and for tests alone.
GENESIS = Wallet.from_seed("snoPBrXtMeMyMHUVTgbuqAfg1SUTb", algorithm=CryptoAlgorithm.SECP256K1)


@pytest.fixture
def rpc():
    return JsonRpcClient(RPC_URL)


@pytest.fixture
def websocket():
    with WebsocketClient(WS_URL) as client:
        yield client


@pytest.fixture(params=["JSON-RPC", "websocket"])
def client(request):
    """Each of the two transports in turn."""
    if request.param == "JSON-RPC":
        yield JsonRpcClient(RPC_URL)
    else:
        with WebsocketClient(WS_URL) as client:
            yield client


@pytest.fixture
def people(rpc):
    """Four fresh accounts with 1,000 XRP each, of both kinds of keys."""
    kinds = [CryptoAlgorithm.ED25519, CryptoAlgorithm.SECP256K1] * 2
    wallets = [Wallet.create(algorithm=kind) for kind in kinds]
    for wallet in wallets:
        control(rpc, "standalone_fund", account=wallet.address, drops="1000000000")
    return wallets


def control(client, method, **parameters):
    """A control method of xrpl-standalone, which no ledger server has."""
    response = client.request(GenericRequest(method=method, **parameters))
    assert response.is_successful(), response.result
    return response.result


def close_time(client):
    """The time of the last validated ledger, in seconds since 2000."""
    return client.request(Ledger(ledger_index="validated")).result["ledger"]["close_time"]
