import Experiments
import Foundation
import Settings
import TestSupport
import Testing
import Training

@Suite("Sweeps")
struct SweepTests {
  private static let base = """
    name: s
    data: {train: {file: x.h5, images: i, labels: l}}
    network:
      input: [8, 8, 1]
      layers: [flatten, {dense: {units: 3}}]
    training:
      epochs: 2
      batch: 16
      loss: softmax_cross_entropy
      optimizer: {sgd: {learning_rate: 0.1}}

    """

  private func load(_ section: String) throws -> Sweep {
    try ConfigurationFile.loadSweep(text: Self.base + section, path: "s.yaml")
  }

  private func message(_ section: String) -> String {
    do {
      _ = try load(section)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test("a grid makes every combination, the last key varying fastest, and each is a configuration")
  func grid() throws {
    let sweep = try load("sweep: {grid: {training.batch: [8, 16], learning_rate: [0.1, 1e-2, 1/4]}}")
    #expect(sweep.keys == ["training.batch", "learning_rate"])
    #expect(
      sweep.members.map(\.values) == [
        ["8", "0.1"], ["8", "1e-2"], ["8", "1/4"], ["16", "0.1"], ["16", "1e-2"], ["16", "1/4"],
      ])
    #expect(sweep.members.map(\.configuration.run.training.batch) == [8, 8, 8, 16, 16, 16])
    #expect(
      sweep.members.map(\.configuration.run.training.optimizer.learningRate) == [
        0.1, 0.01, 0.25, 0.1, 0.01, 0.25,
      ])
    #expect(!sweep.members[0].configuration.resolvedYAML.contains("sweep"))
  }

  @Test("a list makes its own members; a key that one leaves out keeps its value")
  func list() throws {
    let sweep = try load(
      "sweep: {list: [{seed: 7}, {training.optimizer: {adam: {learning_rate: 0.5}}, seed: 8}]}")
    #expect(sweep.keys == ["seed", "training.optimizer"])
    #expect(
      sweep.members.map(\.values) == [
        ["7", "{sgd: {learning_rate: 0.1}}"], ["8", "{adam: {learning_rate: 0.5}}"],
      ])
    #expect(sweep.members.map(\.configuration.run.seed) == [7, 8])
    #expect(sweep.members.map(\.configuration.run.training.optimizer.learningRate) == [0.1, 0.5])
  }

  @Test("random draws lie in their ranges, are the same for the same seed, and differ for another")
  func random() throws {
    func sweep(seed: Int) throws -> Sweep {
      try load(
        """
        sweep:
          random:
            runs: 200
            seed: \(seed)
            keys:
              learning_rate: {log_uniform: [1e-4, 1]}
              momentum: {uniform: [0.5, 0.9]}
              training.batch: {integer: [3, 5]}
              seed: [1, 2, 3]
        """)
    }
    let first = try sweep(seed: 4)
    #expect(first.members.count == 200)
    let rates = first.members.map(\.configuration.run.training.optimizer.learningRate)
    #expect(rates.allSatisfy { (1e-4...1).contains($0) })
    // In the logarithm uniform: half of them below the geometric mean, 1e-2.
    #expect((80...120).contains(rates.count { $0 < 1e-2 }))
    #expect(Set(first.members.map(\.configuration.run.training.batch)) == [3, 4, 5])
    #expect(Set(first.members.map(\.configuration.run.seed)) == [1, 2, 3])
    #expect(try sweep(seed: 4).members.map(\.values) == first.members.map(\.values))
    #expect(try sweep(seed: 5).members.map(\.values) != first.members.map(\.values))
  }

  @Test("a key inside another's value is put into it, in whichever order they are written or drawn")
  func nested() throws {
    for keys in ["learning_rate: {log_uniform: [1e-3, 1]}", ""] {
      let more = keys.isEmpty ? "\n      learning_rate: {log_uniform: [1e-3, 1]}" : ""
      let sweep = try load(
        """
        sweep:
          random:
            runs: 12
            keys:
              \(keys.isEmpty ? "seed: {integer: [0, 9]}" : keys)
              training.optimizer: [{sgd: {learning_rate: 0.1}}, {adam: {learning_rate: 1e-3}}]\(more)
        """)
      let place = try #require(sweep.keys.firstIndex(of: "learning_rate"))
      let optimizer = try #require(sweep.keys.firstIndex(of: "training.optimizer"))
      for member in sweep.members {
        let rate = member.configuration.run.training.optimizer.learningRate
        #expect(member.values[place].flatMap(Double.init) == rate)
        #expect(member.values[optimizer]?.contains("learning_rate: \(member.values[place] ?? "")}") == true)
      }
      #expect(Set(sweep.members.map { $0.configuration.run.training.optimizer.learningRate }).count == 12)
      #expect(Set(sweep.members.map { $0.configuration.run.training.optimizer.kind }).count == 2)
    }
    // A key of a kind that another brings.
    let list = try load(
      "sweep: {list: [{adam.beta1: 0.8, training.optimizer: {adam: {learning_rate: 0.5}}}]}")
    #expect(list.members[0].values == ["0.8", "{adam: {learning_rate: 0.5, beta1: 0.8}}"])
  }

  @Test("whatever is drawn, a member's values are those of its configuration")
  func valuesAreTrue() throws {
    var random = SplitMix64(seed: 11)
    let axes = [
      "learning_rate: {log_uniform: [1e-4, 1]}", "momentum: {uniform: [0, 0.9]}",
      "training.batch: {integer: [1, 64]}",
      "training.optimizer: [{sgd: {learning_rate: 1, momentum: 0.5}}, {sgd: {learning_rate: 2, nesterov: true}}]",
      "seed: [1, 2, 3]", "training.epochs: {integer: [1, 9]}", "training.patience: [none, 3]",
      "training: [{epochs: 4, batch: 2, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 3}}}]",
    ]
    for _ in 0..<40 {
      let chosen = axes.indices.shuffled(using: &random).prefix(4).map { "      \(axes[$0])" }
      let text = "sweep:\n  random:\n    runs: 5\n    keys:\n" + chosen.joined(separator: "\n") + "\n"
      guard let sweep = try? load(text) else {
        // What is refused has fewer different members than it asks for, or settings that do not go together.
        let message = message(text)
        #expect(message.contains("same training") || message.contains("momentum"), "\(text)\n\(message)")
        continue
      }
      for member in sweep.members {
        for (key, value) in zip(sweep.keys, member.values) {
          guard let value, !value.hasPrefix("{") else { continue }
          let found = try #require(member.configuration.value(of: key), "\(key)\n\(text)")
          #expect(found == value || Double(found) == Double(value), "\(key): \(found) and \(value)\n\(text)")
        }
      }
      #expect(Set(sweep.members.map(\.configuration.canonicalJSON)).count == sweep.members.count)
    }
  }

  @Test("two members that train the same are refused; draws are repeated until they differ")
  func twins() throws {
    #expect(
      message("sweep: {grid: {seed: [1, 2, 1]}}").contains(
        "members 0 and 2 are the same training; write each"))
    #expect(message("sweep: {grid: {learning_rate: [0.1, 1e-1]}}").contains("members 0 and 1 are the same"))
    #expect(message("sweep: {list: [{seed: 1}, {seed: 1, training.batch: 16}]}").contains("members 0 and 1"))
    let all = try load("sweep: {random: {runs: 6, keys: {seed: [1, 2, 3], training.batch: [8, 16]}}}")
    #expect(Set(all.members.map(\.values)).count == 6)
    let text = message("sweep: {random: {runs: 7, keys: {seed: [1, 2, 3], training.batch: [8, 16]}}}")
    #expect(text.contains("fewer than 7 different ones"), "\(text)")
  }

  @Test("a place that is named twice, and an override that the sweep would replace, are refused")
  func clashes() throws {
    let twice = message("sweep: {grid: {learning_rate: [0.1], training.optimizer.sgd.learning_rate: [0.2]}}")
    #expect(twice.contains("are both training.optimizer.sgd.learning_rate"), "\(twice)")
    func overridden(_ setting: String, _ section: String) -> String {
      do {
        _ = try ConfigurationFile.loadSweep(
          text: Self.base + section, path: "s.yaml", overrides: [Override(setting)])
        return "no error"
      } catch { return "\(error)" }
    }
    let section = "sweep: {grid: {training.batch: [8, 16]}}"
    #expect(
      overridden("batch=4", section).contains(
        "the sweep varies training.batch, so this value would never be used"))
    #expect(overridden("seed=4", section) == "no error")
    #expect(
      overridden("momentum=0.5", "sweep: {grid: {training.optimizer: [{adam: {learning_rate: 0.5}}]}}")
        .contains("the sweep varies training.optimizer"))
    #expect(
      overridden("training.optimizer={sgd: {learning_rate: 1}}", "sweep: {grid: {momentum: [0, 0.5]}}")
        == "no error")
  }

  @Test(
    "what is wrong with a sweep is said at its place",
    arguments: [
      (
        "sweep: {grd: {seed: [1]}}", "s.yaml:11:9: sweep: unknown kind of sweep 'grd'", "did you mean 'grid'?"
      ),
      ("sweep: 3", "s.yaml:11:8: sweep: found '3'", "{grid: …}"),
      ("sweep: {grid: {}}", "s.yaml:11:15: sweep.grid: found an empty map", ""),
      ("sweep: {grid: {seed: 3}}", "s.yaml:11:22: sweep.grid.seed: found '3', expected a list of values", ""),
      ("sweep: {grid: {seed: [1, x]}}", "s.yaml:11:26: seed: found 'x', expected a whole number", ""),
      (
        "sweep: {grid: {training.bach: [1]}}", "s.yaml:11:32: there is no key 'training.bach'",
        "training.batch"
      ),
      ("sweep: {list: []}", "s.yaml:11:15: sweep.list: found an empty list", ""),
      ("sweep: {random: {keys: {seed: [1]}}}", "s.yaml:11:17: sweep.random.runs is missing", ""),
      (
        "sweep: {random: {runs: 2, keys: {seed: {integer: [5, 2]}}}}",
        "s.yaml:11:50: sweep.random.keys.seed.integer: the first bound must be below the second", ""
      ),
      (
        "sweep: {random: {runs: 2, keys: {momentum: {unifrm: [0, 1]}}}}", "s.yaml:11:45",
        "did you mean 'uniform'?"
      ),
      ("sweep: {random: {runs: 99999, keys: {seed: [1]}}}", "s.yaml:11:24: sweep.random.runs", "10000"),
    ])
  func errors(section: String, start: String, part: String) {
    let text = message(section)
    #expect(text.hasPrefix(start), "\(text)")
    #expect(part.isEmpty || text.contains(part), "\(text)")
  }

  @Test("all wrong values of a sweep are said at once, each once")
  func allErrors() {
    let text = message("sweep: {grid: {seed: [x, 1, y], training.batch: [0, 8]}}")
    #expect(text.split(separator: "\n").count == 3, "\(text)")
  }

  @Test("a configuration without a sweep section cannot be swept; one with it can be read as it is")
  func missing() throws {
    #expect(message("").contains("no section 'sweep'"))
    let loaded = try ConfigurationFile.load(text: Self.base + "sweep: {grid: {seed: [1, 2]}}", path: "s.yaml")
    #expect(loaded.hasSweep)
    #expect(loaded.run.seed == 0)
  }
}
