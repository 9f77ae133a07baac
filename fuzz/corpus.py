"""Writes the corpus that fuzzing begins with, from recorded stories: one folder for each target.

Called with a folder of stories in plain JSON and the folder to write to.
"""

import json
import re
import sys
from pathlib import Path

# Enough to begin with; more inputs only make the first round longer.
INPUTS_MAX = 400

# How many recorded transactions make one life for the target `apply`.
LIFE = 16

HEX = re.compile("(?:[0-9A-Fa-f]{2})+")

SUBSCRIBE = {"id": 1, "command": "subscribe", "streams": ["ledger", "transactions_proposed"]}


def objects(value):
    """Every JSON object in a reply that is a ledger entry or a transaction."""
    if isinstance(value, dict):
        if "LedgerEntryType" in value or "TransactionType" in value:
            yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def life(blobs):
    """An input of the target `apply`: see there."""
    data = b""
    for at, blob in enumerate(blobs):
        who = blob[-1] & 3
        data += bytes([0x30 | who if at % 5 == 4 else who]) + len(blob).to_bytes(2, "big") + blob
    return data


def later():
    """What a server newer than this program may put into a ledger: kept in the wire crate's tests."""
    folder = Path(__file__).parent.parent / "daemon/wire/tests/later"
    stories = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    assert stories, f"there are no inputs in {folder}"
    return [bytes.fromhex(story[key]) for story in stories for key in ("tx_blob", "meta_blob") if key in story]


def main(stories, to):
    corpus = {target: set() for target in ("codec", "json", "jsonrpc", "websocket", "apply")}

    def add(target, value):
        text = value if isinstance(value, str) else json.dumps(value)
        # The first byte says that an administrator asks.
        corpus[target].add((text if target == "json" else "1" + text).encode())

    def request(method, params):
        add("jsonrpc", {"method": method, "params": [params]})
        frames = [SUBSCRIBE, {**params, "command": method}]
        add("websocket", "\n".join(json.dumps(frame) for frame in frames))

    files = sorted(Path(stories).glob("*.json"))
    assert files, f"there are no stories in {stories}"
    for file in files:
        story = json.loads(file.read_text())
        blobs = []
        for step in story["steps"]:
            if step["op"] == "submit":
                request("submit", {"tx_blob": step["tx_blob"]})
                # Some stories submit what is no hex at all.
                if HEX.fullmatch(step["tx_blob"]):
                    blobs.append(bytes.fromhex(step["tx_blob"]))
            elif step["op"] == "close":
                corpus["codec"].update(bytes.fromhex(tx["meta"]) for tx in step["expect"].get("transactions", []))
            elif step["op"] == "query":
                request(step["method"], step["params"])
                for found in objects(step):
                    add("json", found)
            elif step["op"] == "ws":
                add("websocket", step["request"])
        corpus["codec"].update(blobs)
        corpus["codec"].update(bytes.fromhex(entry["data"]) for entry in story["final_state"])
        corpus["apply"].update(life(blobs[at : at + LIFE]) for at in range(0, len(blobs), LIFE))
    for target, inputs in corpus.items():
        assert inputs, f"no inputs for {target}"
        folder = Path(to) / target
        folder.mkdir(parents=True)
        # Evenly chosen, so that every story has its part.
        every = -(-len(inputs) // INPUTS_MAX)
        chosen = sorted(inputs)[::every]
        if target == "codec":
            chosen += later()
        for number, data in enumerate(chosen):
            (folder / f"{number:04}").write_bytes(data)


main(*sys.argv[1:])
