"""Trains the text and speech networks of Configs/ on real data and writes Results/applications.md; Scripts/applications calls it.

    applications.py text|speech --data FOLDER --convoy PROGRAM [--folds 10] [--peers] [--python PYTHON]

Each training's result is kept in Results/data/applications.json as soon as it is known; one that is there is not repeated.
"""
import argparse
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from statistics import mean, median, stdev

sys.path.insert(0, str(Path(__file__).parent))
import machine  # noqa: E402

STORE = Path("Results/data/applications.json")
PAGE = Path("Results/applications.md")
SPEAKERS = ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
SENTENCES = {
    "MR": ("sentence_polarity.zip", [("neg", "rt-polarity.neg"), ("pos", "rt-polarity.pos")], 56, 0.761),
    "Subj": ("subjectivity.zip", [("objective", "plot.tok.gt9.5000"), ("subjective", "quote.tok.gt9.5000")], 120, 0.896),
}
VOCABULARIES = [10_000, 100_000]


def run(words, **options):
    print("+", " ".join(str(w) for w in words), flush=True)
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit(f"error: {words[0]} {words[1]} ended with {done.returncode}")
    return done.stdout


class Store:
    """What has been measured, by names of trainings."""

    def __init__(self):
        self.values = json.loads(STORE.read_text()) if STORE.exists() else {}

    def known(self, name, make):
        if name not in self.values:
            self.values[name] = make()
            STORE.parent.mkdir(parents=True, exist_ok=True)
            temporary = STORE.with_suffix(".new")
            temporary.write_text(json.dumps(self.values, indent=1) + "\n")
            os.replace(temporary, STORE)
        return self.values[name]


class Applications:
    def __init__(self, options):
        self.options, self.store = options, Store()

    def convoy(self, *words):
        return run([self.options.convoy, *words])

    def trained(self, config, data, run_name, seed=0, settings=()):
        """Trains and evaluates: the accuracy on the test samples of the epoch that the config's rule chooses, and the time."""
        folder = f"Results/{run_name}"
        changes = [f"seed={seed}", f"data.train.file={Path(data).resolve()}", f"data.test.file={Path(data).resolve()}", *settings]
        start = time.time()
        self.convoy("train", config, "--run-dir", folder, "--quiet",
                    *[w for change in changes for w in ("--set", change)])
        seconds = time.time() - start
        which = folder if "text" in run_name else f"{folder}/last"
        figures = json.loads(self.convoy("evaluate", which, "--data", data, "--json"))
        summary = json.loads(Path(folder, "summary.json").read_text()) if Path(folder, "summary.json").exists() else {}
        return {"accuracy": figures["accuracy"], "seconds": seconds, "epochs": summary.get("epoch")}

    def peer(self, script, *words):
        return json.loads(run([self.options.python, f"Scripts/peers/{script}", *words]).splitlines()[-1])

    # Text

    def sentences(self, name):
        archive, files, length, _ = SENTENCES[name]
        folder = Path("Results/data/text")
        with zipfile.ZipFile(self.options.data / archive) as zipped:
            for member in zipped.namelist():
                if Path(member).name in dict((f, c) for c, f in files):
                    folder.mkdir(parents=True, exist_ok=True)
                    (folder / Path(member).name).write_bytes(zipped.read(member))
        return [w for c, f in files for w in ("--class", f"{c}={folder / f}")], length

    def vocabulary(self):
        """Training speed with 10,000 and 100,000 words, in turns."""
        def images(words):
            figures = self.convoy(
                "bench", "Configs/kim-cnn.yaml", "--made-up", "--training-only", "--seconds", "2.5", "--json", "--set",
                f"network.layers.0.embedding.vocabulary={words}")
            return json.loads(figures)[0]["training_images_per_second"]

        rounds = [[images(words) for words in VOCABULARIES] for _ in range(9)]
        return {str(words): median(column) for words, column in zip(VOCABULARIES, zip(*rounds))}

    def text(self):
        self.store.known("vocabulary", self.vocabulary)
        for name in SENTENCES:
            sources, length = self.sentences(name)
            for fold in range(1, self.options.folds + 1):
                data = f"Results/data/{name.lower()}-{fold}.h5"
                if not Path(data).exists():
                    self.convoy("import", "text", *sources, "--tokens", "kim", "--length", length, "--folds", self.options.folds,
                                "--fold", fold, "--to", data)
                settings = [] if length == 56 else [f"network.input=[{length}]"]
                if name == "Subj":
                    settings.append("network.layers.0.embedding.vocabulary=24000")
                self.store.known(f"text/{name}/{fold}", lambda: self.trained(
                    "Configs/kim-cnn.yaml", data, f"applications/text-{name.lower()}-{fold}", settings=settings))
                self.write()
                if self.options.peers and (name == "MR" or fold == 1):
                    self.store.known(f"text/{name}/{fold}/keras", lambda: self.peer("peer_keras_text.py", data))
                    self.write()

    # Speech

    def digits(self, name, *words):
        data = f"Results/data/digits-{name}.h5"
        if not Path(data).exists():
            self.convoy("import", "audio", "--from", self.options.data / "free-spoken-digit-dataset.tar.gz", "--pattern",
                        "{label}_{speaker}_{index}", "--seconds", "0.8", *words, "--to", data)
        return data

    def speech(self):
        official = self.digits("official", "--test-where", "index=0-4")
        for network in ("frequency", "trad-fpool3", "small"):
            self.store.known(f"speech/{network}/official", lambda: self.trained(
                f"Configs/speech-{network}.yaml", official, f"applications/speech-{network}-official"))
            self.write()
            if self.options.peers:
                self.store.known(f"speech/{network}/official/keras", lambda: self.peer(
                    "peer_keras_speech.py", official, network.split("-")[0]))
                self.write()
        for network in ("small", "frequency"):
            for speaker in SPEAKERS:
                data = self.digits(speaker, "--test-where", f"speaker={speaker}")
                self.store.known(f"speech/{network}/{speaker}", lambda: self.trained(
                    f"Configs/speech-{network}.yaml", data, f"applications/speech-{network}-{speaker}"))
                self.write()

    # The page

    def write(self):
        values = self.store.values
        lines = ["# The lecture's applications on real data", "",
                 "`Scripts/applications DATA` makes these tables from a folder of data; what it holds is said at the script's head. "
                 "Go has [a page of its own](applications-go.md).", "",
                 "The machine did other work meanwhile: times are rough. All runs have seed 0.", "", *machine.lines(self.options.convoy), ""]
        lines += self.text_table(values) + self.speech_table(values)
        PAGE.write_text("\n".join(lines).rstrip() + "\n")

    @staticmethod
    def share(value):
        return "–" if value is None else f"{value:.4f}"

    def text_table(self, values):
        lines = []
        for name, (_, _, length, published) in SENTENCES.items():
            folds = {int(k.split("/")[2]): v for k, v in values.items() if k.startswith(f"text/{name}/") and k.count("/") == 2}
            if not folds:
                continue
            keras = {int(k.split("/")[2]): v for k, v in values.items() if k.startswith(f"text/{name}/") and k.endswith("keras")}
            found = [folds[k]["accuracy"] for k in sorted(folds)]
            total = f"{mean(found):.4f}" + (f" ± {stdev(found):.4f}" if len(found) > 1 else "")
            lines += [f"## {name}: Kim's CNN, {len(found)} of 10 parts", "",
                      f"Mean accuracy **{total}** (deviation over parts); Kim's CNN-rand has {published:.3f}. A tenth of the training "
                      "sentences chooses the epoch, as in the paper.", "",
                      "| part | Convoy | seconds | Keras, same file | seconds |", "| --- | --- | --- | --- | --- |"]
            for fold in sorted(folds):
                other = keras.get(fold)
                lines.append(f"| {fold} | {self.share(folds[fold]['accuracy'])} | {folds[fold]['seconds']:.0f} | "
                             f"{self.share(other and other['accuracy'])} | {other['seconds'] if other else 0:.0f} |".replace("| 0 |", "| – |"))
            lines.append("")
        if speeds := values.get("vocabulary"):
            few, many = (speeds[str(words)] for words in VOCABULARIES)
            lines += ["## What a large vocabulary costs", "",
                      f"[kim-cnn](../Configs/kim-cnn.yaml) trains {few:.0f} sentences a second with {VOCABULARIES[0]:,} words and {many:.0f} with "
                      f"{VOCABULARIES[1]:,} (medians of nine measurements in turns, on made-up sentences: "
                      "`convoy bench Configs/kim-cnn.yaml --made-up --training-only --set network.layers.0.embedding.vocabulary=…`).", ""]
        return lines

    def speech_table(self, values):
        found = {k: v for k, v in values.items() if k.startswith("speech/")}
        if not found:
            return []
        lines = ["## Spoken digits: the official split", "", "| network | Convoy | seconds | Keras without augmentation, same file | seconds |",
                 "| --- | --- | --- | --- | --- |"]
        for network in ("frequency", "trad-fpool3", "small"):
            own, other = found.get(f"speech/{network}/official"), found.get(f"speech/{network}/official/keras")
            if own:
                seconds = f"{other['seconds']:.0f}" if other else "–"
                lines.append(f"| [speech-{network}](../Configs/speech-{network}.yaml) | {self.share(own['accuracy'])} | {own['seconds']:.0f} | "
                             f"{self.share(other and other['accuracy'])} | {seconds} |")
        lines += ["", "## Spoken digits: a speaker whom the network never heard", ""]
        lines += ["| network | " + " | ".join(SPEAKERS) + " | mean |", "| --- |" + " --- |" * (len(SPEAKERS) + 1)]
        for network in ("small", "frequency"):
            speakers = [found.get(f"speech/{network}/{s}", {}).get("accuracy") for s in SPEAKERS]
            if any(s is not None for s in speakers):
                known = [s for s in speakers if s is not None]
                lines.append(f"| speech-{network} | " + " | ".join(map(self.share, speakers)) + f" | **{mean(known):.4f}** |")
        return lines + [""]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["text", "speech"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--convoy", required=True)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--python", default="python3")
    parser.add_argument("--command", default="Scripts/applications")
    options = parser.parse_args()
    getattr(Applications(options), options.part)()


if __name__ == "__main__":
    main()
