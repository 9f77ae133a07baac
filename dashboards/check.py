#!/usr/bin/env python3
"""Has a real Prometheus scrape the daemon of a command, and asks it everything that the dashboards ask.

usage: check.py PROMETHEUS COMMAND...

The command gets `--listen ADDRESS` in addition and runs to its end; then every query of every panel is asked for the last
moment in which the daemon was there. A query has to parse, to use names and labels that are exported, and to have an
answer: a panel that is empty where everything went well tells nobody anything where it did not. Only Python's own library
is needed.
"""

import glob
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))

# Of two scrapes the second has to come before a tour is over, and a rate needs two.
INTERVAL = "250ms"

# Panels that are rightly empty after the command, by file and title, and why. What can say `or vector(0)` does instead.
RIGHTLY_EMPTY = {}

# What PromQL has beside names of metrics and labels.
WORDS = set(
    "sum count max min topk by without on ignoring group_left group_right unless and or bool offset time vector rate "
    "increase delta histogram_quantile absent max_over_time last_over_time".split()
)
# Labels that Prometheus adds, and that of a histogram's buckets.
ADDED = {"job", "instance", "le"}


def exported():
    """The labels of each metric, by every name that its samples have."""
    known = {"up": set()}
    with open(os.path.join(HERE, "..", "docs", "reference", "metrics.md"), encoding="utf-8") as page:
        for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", page.read(), re.M):
            ends = ["_bucket", "_count", "_sum"] if kind == "histogram" else [""]
            for end in ends:
                known[name + end] = set(re.findall(r"`(\w+)`", labels))
    return known


def queries():
    """Every query of every dashboard: file, title, kind of panel, query."""
    for path in sorted(glob.glob(os.path.join(HERE, "boards", "*.json"))):
        with open(path, encoding="utf-8") as file:
            board = json.load(file)
        name = os.path.basename(path)
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield name, panel["title"], panel["type"], target["expr"]


def filled(query):
    """As Grafana asks it with everything chosen."""
    return query.replace("$job", ".*")


def strangers(query, known):
    """Names and labels in the query that nothing exports. `or vector(0)` would hide them."""
    bare = re.sub(r'"[^"]*"', '""', query)
    grouped = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", bare)
    matched = re.findall(r"\{([^}]*)\}", bare)
    labels = set(re.findall(r"\w+", " ".join(grouped)))
    labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", " ".join(matched)))
    rest = re.sub(r"\b(?:by|without|on|ignoring)\s*\([^)]*\)|\{[^}]*\}|\[[^]]*\]", " ", bare)
    names = set(re.findall(r"\b[a-zA-Z_]\w*", rest)) - WORDS
    allowed = set(ADDED).union(*(known.get(name, set()) for name in names))
    return sorted(names - set(known)) + sorted(labels - allowed)


class Prometheus:
    """One that scrapes a daemon at an address, until it is left."""

    def __init__(self, program, room, target):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = os.path.join(room, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}}}\n"
                f"scrape_configs: [{{job_name: treasuryd, static_configs: [{{targets: ['{target}']}}]}}]\n"
            )
        self.process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={room}/data",
                f"--web.listen-address={self.url.removeprefix('http://')}",
                "--log.level=error",
            ]
        )

    def __enter__(self):
        deadline = time.monotonic() + 30
        while not self.scrapes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit("dashboards: Prometheus does not start")
            time.sleep(0.1)
        return self

    def scrapes(self):
        """Whether it has begun: that is some seconds after it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/targets", timeout=5) as answer:
                return bool(json.load(answer)["data"]["activeTargets"])
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ask(self, query, at, path="query", **more):
        """The answer's series, or what is wrong with the query."""
        asked = urllib.parse.urlencode({"query": query, **({"time": at} if at else {}), **more})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{asked}", timeout=10) as answer:
                return json.load(answer)["data"]["result"], None
        except urllib.error.HTTPError as error:
            return [], json.load(error)["error"]

    def seen(self):
        """The first and the last moment in which the daemon was there."""
        found, _ = self.ask('up{job="treasuryd"}[1h]', None)
        there = [float(at) for series in found for at, value in series["values"] if value == "1"]
        if not there:
            sys.exit("dashboards: Prometheus never reached the daemon")
        return min(there), max(there)

    def fault(self, kind, query, known, first, last):
        """What is wrong with a panel's query, if anything is."""
        unknown = strangers(query, known)
        if unknown:
            return f"nothing exports {', '.join(unknown)}"
        found, wrong = self.ask(filled(query), last)
        if wrong:
            return wrong
        values = [series["value"][1] for series in found]
        if kind == "timeseries":
            # Over time, what was there for a while is seen.
            step = max((last - first) / 100, 0.1)
            found, _ = self.ask(filled(query), None, "query_range", start=first, end=last, step=step)
            values += [value for series in found for _, value in series["values"]]
        return None if any(value != "NaN" for value in values) else "it has no answer"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def planted():
    """Queries that are wrong, each in another way: what does not find them would not find others."""
    dead = 'treasuryd_deliveries_dead{job=~"$job"}'
    return {
        "a name that nothing exports": 'treasuryd_sigth{job=~"$job"}',
        "one that `or vector(0)` hides": 'treasuryd_sigth{job=~"$job"} or vector(0)',
        "a label that it does not have": 'treasuryd_sight{job=~"$job",guard="locked"}',
        "a group by a label that it does not have": f"sum by (chanel) ({dead}) or vector(0)",
        "what does not parse": 'sum by (kind) (treasuryd_findings_total{job=~"$job"}',
        "a rate over what is no time": 'rate(treasuryd_steps_total{job=~"$job"}[5])',
        "a value that is never there": 'treasuryd_proposals{job=~"$job",status="colecting"}',
        "series that are not there": dead,
        "what is not a number": '0 * treasuryd_holds{job=~"$job"} / 0',
    }


def main():
    program, command = sys.argv[1], sys.argv[2:]
    known = exported()
    listen = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as room, Prometheus(program, room, listen) as prometheus:
        ended = subprocess.run([*command, "--listen", listen], check=False)
        if ended.returncode:
            sys.exit(ended.returncode)
        began = time.monotonic()
        first, last = prometheus.seen()
        faults, asked, empty = [], 0, set()
        for board, title, kind, query in queries():
            asked += 1
            fault = prometheus.fault(kind, query, known, first, last)
            if fault and (board, title) in RIGHTLY_EMPTY and fault == "it has no answer":
                empty.add((board, title))
            elif fault:
                faults.append(f"{board}: {title}: {fault}: {query}")
        faults += [f"{board}: {title} is declared empty, and is not" for board, title in RIGHTLY_EMPTY.keys() - empty]
        for what, query in planted().items():
            if not prometheus.fault("stat", query, known, first, last):
                faults.append(f"the check does not find {what}: {query}")
        for fault in faults:
            print(f"dashboards: {fault}")
        if faults:
            sys.exit(1)
        took = time.monotonic() - began
        print(
            f"dashboards: {asked} queries of {len({board for board, *_ in queries()})} dashboards have answers, "
            f"{len(planted())} wrong ones have none ({last - first:.0f} s of scrapes, asked in {took:.1f} s)"
        )


main()
