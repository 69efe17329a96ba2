"""Other frameworks' programs, alive for a whole comparison, and what is measured of them in turns."""
import json
import os
import statistics
import subprocess
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers")


class Peer:
    """A peer's program, alive for the whole comparison."""

    def __init__(self, program):
        self.program = program
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(FOLDER, f"peer_{program}.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        answer = self._answer()
        self.version = answer.get("version", "")
        self.error = answer.get("error")

    def _answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"peer_{self.program}.py ended"}

    def ask(self, **request):
        if self.process.poll() is not None:
            return {"error": self.error or f"peer_{self.program}.py is not running"}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Result:
    """Images per second of one program at one network and precision, a number for each round."""

    def __init__(self):
        self.rounds, self.problem = [], None

    @property
    def rate(self):
        return statistics.median(self.rounds) if self.rounds else None

    def __str__(self):
        if not self.rounds:
            return "–"
        digits = 0 if self.rate >= 200 else 1
        spread = (max(self.rounds) - min(self.rounds)) / 2 / self.rate * 100
        return f"{self.rate:,.{digits}f} ±{spread:.0f}%"


def in_turns(convoy_rate, peers, modes, network, precision, batch, arguments, name=None):
    """One network at one precision: every program is warmed up by itself, then all take turns.

    `modes` has the program and mode of each column, `convoy_rate` measures Convoy once; `name` is what progress calls the network.
    """
    results = {"Convoy": Result()} | {label: Result() for label in modes}
    slow = set()
    for label, (program, mode) in modes.items():
        answer = peers[program].ask(network=network, precision=precision, mode=mode)
        if "error" in answer:
            results[label].problem = answer["error"]
        elif answer["step"] > arguments.hopeless:
            results[label].rounds.append(batch / answer["step"])
            slow.add(label)
    for _ in range(arguments.rounds):
        results["Convoy"].rounds.append(convoy_rate())
        for label, (program, mode) in modes.items():
            if results[label].problem or label in slow:
                continue
            answer = peers[program].ask(mode=mode, seconds=arguments.seconds, steps=2)
            if "error" in answer:
                results[label].problem = answer["error"]
            else:
                results[label].rounds.append(batch / statistics.median(answer["times"]))
    for label, result in results.items():
        print(f"  {name or network} {precision} {label}: {result.problem or result}", file=sys.stderr, flush=True)
    return results


def ratio(results):
    """Convoy's speed over that of the fastest peer, with its name, for a table."""
    others = {label: result.rate for label, result in results.items() if label != "Convoy" and result.rate}
    if not others:
        return "–"
    fastest = max(others, key=others.get)
    return f"**{results['Convoy'].rate / others[fastest]:.2f}** ({fastest})"


def problems(all_results):
    """What did not run, as lines of a report."""
    found = [f"- {name} {precision}, {label}: {result.problem}"
             for (name, precision), results in all_results.items()
             for label, result in results.items() if result.problem]
    return ["", "Did not run:", ""] + found if found else []
