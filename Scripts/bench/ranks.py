"""Measures trainings over several ranks, holds a model of their steps against that, and predicts many nodes. See Scripts/bench-ranks."""
import argparse
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import machine

FOLDER = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(FOLDER, os.pardir, "peers")
# The flavours of MPI, with what starts ranks of each on one machine without tying them to cores.
FLAVOURS = {
    "openmpi": ("Open MPI", ["--oversubscribe", "--bind-to", "none"]),
    "mpich": ("MPICH", ["-bind-to", "none"]),
}
PREDICTED = {
    "lecture": "Configs/fashion-mnist.yaml", "resnet20": "Configs/resnet20-fashion-mnist.yaml",
    "vgg": "Configs/vgg-fashion-mnist.yaml",
}
NODES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


def fail(text):
    sys.exit(f"error: {text}")


class Flavour:
    """An MPI that is installed here: its launcher and compiler."""

    def __init__(self, key, scratch):
        self.key = key
        self.name, self.options = FLAVOURS[key]
        self.run = shutil.which(f"mpirun.{key}") or self.default("mpirun")
        self.compiler = shutil.which(f"mpicc.{key}") or self.default("mpicc")
        self.plug_in = os.path.join(scratch, f"{key}.so")
        self.exchange = os.path.join(scratch, f"exchange-{key}")

    def default(self, command):
        """A command without a name of its own, where it is this flavour's."""
        path = shutil.which(command)
        if path is None:
            return None
        answer = subprocess.run([path, "--version" if command == "mpirun" else "-show"], capture_output=True, text=True)
        text = (answer.stdout + answer.stderr).lower()
        is_open = "open mpi" in text or "open-mpi" in text or "openmpi" in text
        return path if is_open == (self.key == "openmpi") else None

    @property
    def is_there(self):
        return self.run is not None and self.compiler is not None

    def build(self, convoy):
        for command in (
            [self.compiler, "-O3", "-march=native", "-w", "-o", self.exchange, os.path.join(FOLDER, "ranks_exchange.c")],
            [convoy, "mpi", "build", "--mpicc", self.compiler, "--to", self.plug_in],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                fail(f"{' '.join(command)}: {done.stderr.strip()}")


class Nodes:
    """Network namespaces with a bridge between them, whose links have a limited rate: nodes on one machine. It takes root."""

    def __init__(self, scratch, count, rate):
        self.names = [f"convoy{number}" for number in range(1, count + 1)]
        self.bridge = "convoybr"
        self.agent = os.path.join(scratch, "agent")
        with open(self.agent, "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n# mpirun's way to a node: agent NODE COMMAND…\nnode=$1; shift\n"
                       'exec ip netns exec "$node" unshare --uts bash -c "hostname $node; $*"\n')
        os.chmod(self.agent, 0o755)
        self.down()
        try:
            self.up(rate)
        except BaseException:
            self.down()
            raise

    def up(self, rate):
        shape = f"root tbf rate {rate} burst 256kb latency 100ms"
        self.call(f"ip link add {self.bridge} type bridge")
        self.call(f"ip addr add 10.77.7.254/24 dev {self.bridge}")
        self.call(f"ip link set {self.bridge} up")
        for number, name in enumerate(self.names, 1):
            self.call(f"ip netns add {name}")
            self.call(f"ip link add {name} type veth peer name eth0 netns {name}")
            self.call(f"ip link set {name} master {self.bridge} up")
            inside = f"ip netns exec {name}"
            self.call(f"{inside} ip addr add 10.77.7.{number}/24 dev eth0")
            self.call(f"{inside} ip link set eth0 up")
            self.call(f"{inside} ip link set lo up")
            # What leaves the node, and what comes to it.
            self.call(f"{inside} tc qdisc add dev eth0 {shape}")
            self.call(f"tc qdisc add dev {name} {shape}")

    @staticmethod
    def call(command, check=True):
        done = subprocess.run(command.split(), capture_output=True, text=True)
        if check and done.returncode:
            fail(f"{command}: {done.stderr.strip()} (network namespaces take root)")

    def down(self):
        for name in self.names:
            self.call(f"ip netns del {name}", check=False)
        self.call(f"ip link del {self.bridge}", check=False)

    def options(self):
        return ["--host", ",".join(self.names), "--mca", "plm_rsh_agent", self.agent, "--mca", "btl", "self,tcp",
                "--mca", "btl_tcp_if_include", "10.77.7.0/24", "--mca", "oob_tcp_if_include", "10.77.7.0/24",
                "--bind-to", "none"]


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.convoy = arguments.convoy
        self.quick = arguments.quick
        self.prefix = shlex.split(arguments.prefix)
        self.scratch = tempfile.mkdtemp(prefix="convoy-ranks-")
        self.sections = {}
        self.environment = dict(os.environ)
        if os.geteuid() == 0:
            self.environment.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        self.flavours = [flavour for flavour in (Flavour(key, self.scratch) for key in FLAVOURS) if flavour.is_there]
        if not self.flavours:
            fail("there is no mpirun with its mpicc; `Scripts/dependencies openmpi-bin libopenmpi-dev` installs one")
        for flavour in self.flavours:
            flavour.build(self.convoy)

    def call(self, command, plug_in=None, timeout=300):
        environment = dict(self.environment)
        environment["CONVOY_MPI"] = plug_in or "none"
        # What is behind the prefix is one shell command, so that mpirun hands the variable on to other nodes, too.
        done = subprocess.run(self.prefix + command, capture_output=True, text=True, env=environment, timeout=timeout)
        if done.returncode:
            fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done.stdout

    def launch(self, flavour, ranks, command, options=None):
        if ranks == 1:
            return self.call(command)
        options = flavour.options if options is None else options
        passed = ["-x", "CONVOY_MPI"] if flavour.key == "openmpi" else []
        return self.call([flavour.run, *options, *passed, "-n", str(ranks), *command], flavour.plug_in)

    def bench(self, flavour, ranks, workers, what, options=None, seconds=None):
        command = [self.convoy, "bench", *what, "--workers", str(workers), "--training-only", "--json",
                   "--seconds", str(seconds or (1 if self.quick else 2))]
        return json.loads(self.launch(flavour, ranks, command, options))[0]

    def table(self, key, title, header, rows, text=""):
        lines = [f"## {title}", ""] + ([text, ""] if text else [])
        lines += ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
        lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
        self.sections.setdefault(key, []).append("\n".join(lines))
        print("\n".join(["", title, " | ".join(header)] + [" | ".join(str(cell) for cell in row) for row in rows]),
              file=sys.stderr, flush=True)

    # Each method below measures one table.

    def exchange(self):
        """Exchange, sum and gather beside the library's own all-reduce of as many floats."""
        sizes = [131072, 2200000] if self.quick else [131072, 2200000, 11000000]
        rows = []
        for flavour in self.flavours:
            for ranks in (2, 4):
                ways = [("shared memory", [])]
                if flavour.key == "openmpi":
                    ways.append(("TCP", ["--mca", "btl", "self,tcp"]))
                for way, more in ways:
                    command = [flavour.run, *flavour.options, *more, "-n", str(ranks), flavour.exchange, *map(str, sizes)]
                    best = {}
                    for _ in range(1 if self.quick else 3):
                        for line in self.call(command).splitlines():
                            floats, ours, _, theirs, _, differ = line.split()
                            old = best.get(floats, (float("inf"), float("inf"), 0))
                            best[floats] = (min(old[0], float(ours)), min(old[1], float(theirs)), max(old[2], int(differ)))
                    for floats, (ours, theirs, differ) in best.items():
                        rows.append([flavour.name, ranks, way, f"{int(floats) / 1e6:.2f} M", f"{ours:.2f}", f"{theirs:.2f}",
                                     f"{ours / theirs:.2f}", f"{differ / int(floats) * 100:.1f}%"])
        self.table("exchange", "Exchange beside `MPI_Allreduce`",
                   ["MPI", "ranks", "over", "floats", "exchange, sum in order, gather, ms", "`MPI_Allreduce`, ms", "ratio",
                    "other bits"], rows,
                   "One partial sum of each rank, by the plug-in's own code (`Scripts/bench/ranks_exchange.c`): the fastest of "
                   f"{21 if self.quick else 63} rounds, in turns with the library's sum of as many floats. The last column is the share of elements in which the "
                   "library's sum has other bits than the sum in the tree's order.")

    def crew(self):
        """Two ranks of one worker beside one rank of two."""
        flavour = self.flavours[0]
        rows = []
        for network in ("lecture",) if self.quick else ("lecture", "resnet20", "resnet18"):
            what = ["--network", network]
            turns = []
            for _ in range(1 if self.quick else 3):
                turns.append((self.bench(flavour, 1, 2, what), self.bench(flavour, 2, 1, what)))
            one = statistics.median(turn[0]["training_images_per_second"] for turn in turns)
            two = statistics.median(turn[1]["training_images_per_second"] for turn in turns)
            best = [max(turn[side]["training_images_per_second_p95"] for turn in turns) for side in (0, 1)]
            exchange = statistics.median(turn[1]["exchange_seconds"] for turn in turns)
            step = turns[0][1]["batch"] / two
            rows.append([network, f"{one:,.1f}", f"{two:,.1f}", f"{two / one:.2f}", f"{best[1] / best[0]:.2f}",
                         f"{exchange * 1e3:.2f}", f"{exchange / step * 100:.1f}%"])
        self.table("crew", "Two ranks of one worker beside one rank of two",
                   ["network", "1 × 2, images/s", "2 × 1, images/s", "ratio", "of the fastest steps", "exchange, ms a step",
                    "of the step"], rows,
                   f"`convoy bench --network N --training-only` under {flavour.name}, over shared memory, medians of "
                   f"{1 if self.quick else 3} rounds in turns.")

    def memory(self):
        """What a rank sends and holds."""
        flavour = self.flavours[0]
        rows = []
        for network in ("vgg",) if self.quick else ("lecture", "vgg", "resnet18"):
            for ranks in (1, 2, 4):
                found = self.bench(flavour, ranks, 1, ["--network", network], seconds=1)
                sent = found.get("sent_bytes", 0) / 1e6
                gradient = found["parameters"] * 4 / 1e6
                rows.append([network, ranks, f"{gradient:.2f}", f"{sent:.2f}", f"{2 * (ranks - 1) / ranks * gradient:.2f}",
                             f"{found['peak_memory_bytes'] / 1e6:.0f}"])
        self.table("memory", "What a rank sends and holds",
                   ["network", "ranks", "parameters, MB", "sent in a step, MB", "2·(R − 1)/R · parameters, MB",
                    "peak memory of a rank, MB"], rows,
                   "Rank 0 of `convoy bench`, one worker each, the same minibatch for all ranks together. Layouts pad some "
                   "parameters. That the bytes are those which travel is a test (`ScaleOutTests`).")

    def network(self):
        """Steps between network namespaces of limited rate, beside the prediction."""
        flavour = next((flavour for flavour in self.flavours if flavour.key == "openmpi"), None)
        if flavour is None or os.geteuid() or not shutil.which("tc"):
            print("warning: steps over limited networks are not measured: that takes root, tc and Open MPI", file=sys.stderr)
            return
        rows = []
        figures = self.figures_file()
        for rate, name in (("1gbit", "1GbE"), ("10gbit", "10GbE")):
            nodes = Nodes(self.scratch, 2, rate)
            try:
                for network in ("lecture",) if self.quick else PREDICTED:
                    config = PREDICTED[network]
                    plan = self.plan(config, [2], name, workers=1, figures=figures)
                    found = [self.bench(flavour, 2, 1, [config, "--made-up"], nodes.options())
                             for _ in range(1 if self.quick else 3)]
                    best = min(found, key=lambda each: each["batch"] / each["training_images_per_second"])
                    step = best["batch"] / best["training_images_per_second"] * 1e3
                    predicted = plan["predictions"][0]["rows"][0]
                    seconds = predicted["step_seconds"] * 1e3
                    told = sum(predicted[key] for key in (
                        "exchange_bytes_seconds", "gather_bytes_seconds", "messages_seconds")) * 1e3
                    rows.append([rate.replace("gbit", " Gbit/s"), network, f"{seconds:.1f}", f"{step:.1f}",
                                 f"{(seconds / step - 1) * 100:+.0f}%", f"{told:.1f}", f"{best['exchange_seconds'] * 1e3:.1f}",
                                 f"{best['network_bytes_per_second'] / 1e6:.0f}"])
            finally:
                nodes.down()
        self.table("network", "The model beside steps over networks of limited rate",
                   ["rate", "network", "step predicted, ms", "measured, ms", "off by", "of it exchange predicted, ms",
                    "measured, ms", "bytes found by the program, MB/s"], rows,
                   "Two ranks of one worker in network namespaces of this machine, whose links `tc tbf` limits each way; Open MPI "
                   "over TCP. The prediction is `convoy plan CONFIG --nodes 2 --network 1GbE --node-workers 1`, from steps of one process "
                   "with two workers; the measurement `convoy bench CONFIG --made-up`, the median step of the best of "
                   f"{1 if self.quick else 3} runs. There is no latency beyond this machine's own.")

    def figures_file(self):
        return os.path.join(self.scratch, "machine.json")

    def plan(self, config, nodes, network, workers, figures, batch=None, minibatch=None):
        command = [self.convoy, "plan", config, "--nodes", ",".join(map(str, nodes)), "--network", network, "--machine", figures,
                   "--node-workers", str(workers), "--json", "--seconds", str(1 if self.quick else 3)]
        if batch:
            command += ["--node-batch", str(batch)]
        if minibatch:
            command += ["--set", f"training.batch={minibatch}"]
        return json.loads(self.call(command))

    def peer(self):
        """PyTorch's DistributedDataParallel beside Convoy: speed, and whether the number of processes changes the result."""
        if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
            print("warning: no PyTorch (PEERS_VENV names an environment that has it), so it is not compared", file=sys.stderr)
            return
        flavour = self.flavours[0]
        config = os.path.join(self.scratch, "lecture.yaml")
        self.lecture(config)
        rows, version = [], "?"
        for network in ("lecture",) if self.quick else ("lecture", "resnet18"):
            steps = 20 if network == "lecture" else 6
            for ranks in (1, 2, 4):
                rates, theirs, digests = [], [], set()
                for _ in range(1 if self.quick else 2):
                    rates.append(self.bench(flavour, ranks, 1, ["--network", network])["training_images_per_second"])
                    answer = self.call([sys.executable, os.path.join(PEERS, "ddp_pytorch.py"), network, str(ranks), str(steps)])
                    answer = json.loads(answer.splitlines()[-1])
                    version = answer["version"]
                    theirs.append(answer["median"])
                    digests.add(answer["digest"][:12])
                own = self.digest(flavour, ranks, config) if network == "lecture" else "–"
                rows.append([network, ranks, f"{max(rates):,.1f}", f"{max(theirs):,.1f}", f"{max(rates) / max(theirs):.2f}",
                             f"`{own}`" if own != "–" else own, " ".join(f"`{digest}`" for digest in sorted(digests))])
        self.table("peer", "Beside PyTorch's DistributedDataParallel",
                   ["network", "processes", "Convoy, images/s", "DDP over gloo, images/s", "ratio", "Convoy's digest", "DDP's digest"],
                   rows,
                   f"PyTorch {version}, {flavour.name}; processes of one thread each on this machine, the same minibatch for all of them together; the "
                   "better of the median steps of two runs in turns. Digests are of all parameters: of Convoy after 20 steps of the lecture's CNN on "
                   "Fashion-MNIST (`convoy train --steps 20`, `convoy inspect`), of DDP after 20 steps (ResNet-18: 6) on the same made-up samples "
                   "for any number of processes (`Scripts/peers/ddp_pytorch.py`). Equal digests mean the same bytes.")

    def lecture(self, path):
        """The shipped config on the first samples of its data."""
        folder = "/usr/share/datasets/fashion-mnist"
        data = os.path.join(self.scratch, "fashion.h5")
        command = [self.convoy, "import", "fashion-mnist", "--from", folder, "--to", data]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            fail(f"{' '.join(command)}: {done.stderr.strip()}")
        with open("Configs/fashion-mnist.yaml", encoding="utf-8") as file:
            text = re.sub(r"file: *\S*?([,}\n])", lambda found: f"file: {data}{found[1]}", file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def digest(self, flavour, ranks, config):
        run = os.path.join(self.scratch, f"run-{ranks}")
        shutil.rmtree(run, ignore_errors=True)
        self.launch(flavour, ranks, [self.convoy, "train", config, "--steps", "20", "--run-dir", run, "--workers", "1", "-q"])
        text = self.call([self.convoy, "inspect", f"{run}/last"])
        return re.search(r"contents SHA-256 (\w+)", text)[1][:12]

    def predict(self):
        """Many nodes, by the model alone."""
        figures = self.figures_file()
        series = {}
        for config, network in (("Configs/fashion-mnist.yaml", "lecture"), ("Configs/vgg-fashion-mnist.yaml", "vgg"),
                                ("Configs/resnet20-fashion-mnist.yaml", "resnet20")):
            rows = []
            for link in ("10GbE", "100GbE", "200GbIB"):
                plan = self.plan(config, NODES, link, 64, figures, batch=512, minibatch=4096)
                for prediction in plan["predictions"]:
                    by_nodes = {row["nodes"]: row for row in prediction["rows"]}
                    series[network, link, prediction["exchange"], prediction["scaling"]] = prediction["rows"]
                    efficient = [row["nodes"] for row in prediction["rows"] if row["efficiency"] >= 0.8]
                    last = by_nodes[1024]
                    rows.append([link, {"strong": "4,096 in all", "weak": "512 a node"}[prediction["scaling"]], prediction["exchange"],
                                 *[f"{by_nodes[count]['efficiency'] * 100:.{0 if by_nodes[count]['efficiency'] >= 0.1 else 1}f}%" for count in (4, 16, 64, 256, 1024)],
                                 f"{max(efficient):,}", f"{last['step_seconds'] * 1e3:.2f}", last["limit"]])
            measured = plan["measured"]
            self.table("predict", f"Predicted: {network}, nodes of 64 cores",
                       ["network", "minibatch", "exchange", "4 nodes", "16", "64", "256", "1,024", "at least 80% up to",
                        "step of 1,024, ms", "limit there"], rows,
                       f"**Predictions, not measurements**: `convoy plan {config} --set training.batch=4096 --nodes {','.join(map(str, NODES))} --network … "
                       f"--node-workers 64 --node-batch 512`, from a shard of {measured['shard_size']} samples that took {measured['work']['seconds_per_shard'] * 1e3:.2f} ms on one of "
                       f"{measured['workers']} workers here. Efficiency is against one such node. The exchange by `halving` is not built yet. No part of a step is "
                       "overlapped with another; the links' latencies are assumptions (`convoy help plan`).")
        self.plot(series)

    def plot(self, series):
        """Efficiency against nodes, with a minibatch on each node, as an SVG by gnuplot."""
        blocks, curves = [], []
        for number, (network, link, exchange) in enumerate(
                (network, link, exchange) for network in ("lecture", "vgg") for link in ("10GbE", "100GbE", "200GbIB")
                for exchange in ("direct", "halving")):
            rows = series[network, link, exchange, "weak"]
            block = "\n".join(f"{row['nodes']} {row['efficiency'] * 100}" for row in rows)
            blocks.append(f"$d{number} << end\n{block}\nend")
            color = {"10GbE": "#c44e52", "100GbE": "#4c72b0", "200GbIB": "#55a868"}[link]
            style = f"lw 2 lc rgb '{color}' dt {1 if exchange == 'direct' else 2} pt {7 if network == 'lecture' else 5}"
            title = f"{network}, {link}, {exchange}"
            curves.append(f"$d{number} using 1:2 with linespoints {style} title \"{title}\"")
        script = "\n".join(blocks) + f"""
set terminal svg size 760,460 font "sans-serif,12" background "white"
set output "Results/scale-out.svg"
set xlabel "nodes of 64 cores, 512 samples each (predicted)"
set ylabel "efficiency against one node, %"
set logscale x 2
set xtics ({', '.join(f'"{count}" {count}' for count in NODES)})
set yrange [0:110]
set key outside right
plot {', '.join(curves)}
"""
        try:
            subprocess.run(["gnuplot"], input=script, text=True, check=True)
            self.sections["predict"].append("![predicted efficiency against nodes](scale-out.svg)")
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"warning: no plot: {error}", file=sys.stderr)

    def run(self, parts):
        try:
            for part in parts:
                getattr(self, part)()
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        versions = [subprocess.run([flavour.run, "--version"], capture_output=True, text=True).stdout for flavour in self.flavours]
        found = [re.search(r"\d+\.\d+\.\d+", text) for text in versions]
        mpi = ", ".join(f"{flavour.name} {match[0] if match else '?'}" for flavour, match in zip(self.flavours, found))
        text = "\n\n".join(
            ["# Several nodes", f"Written by `{self.arguments.command}`."] + [
                section for part in parts for section in self.sections.get(part, [])]
            + ["\n".join(machine.lines(self.convoy) + [f"- {mpi}"])]) + "\n"
        if self.quick:
            print(text)
            return
        with open(self.arguments.output, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"Written to {self.arguments.output}", file=sys.stderr)


PARTS = ("exchange", "crew", "memory", "network", "peer", "predict")

parser = argparse.ArgumentParser()
parser.add_argument("--convoy", required=True)
parser.add_argument("--command", default="Scripts/bench-ranks")
parser.add_argument("--quick", action="store_true")
parser.add_argument("--prefix", default="", help="words before each measured command")
parser.add_argument("--output", default="Results/scale-out.md")
parser.add_argument("--parts", default=",".join(PARTS))
arguments = parser.parse_args()
wanted = arguments.parts.split(",")
for part in wanted:
    if part not in PARTS:
        fail(f"there is no part '{part}'; known are {', '.join(PARTS)}")
Bench(arguments).run(wanted)
