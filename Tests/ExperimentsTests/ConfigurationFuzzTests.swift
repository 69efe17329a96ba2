import Foundation
import Settings
import TestSupport
import Testing

@testable import Experiments

@Suite struct ConfigurationFuzzTests {
  // `Scripts/fuzz-configs` makes 100,000 in a release build, and measures the time and memory of each.
  private static let rounds = 2000

  @Test("a damaged configuration is read or refused, and what is read can be written and read again")
  func mutations() throws {
    let sources = try Shipped.names.map { try Shipped.text($0) } + [try BrokenConfiguration.base()]
    var mutator = TextMutator(seed: 1)
    var accepted = 0
    for round in 0..<Self.rounds {
      let text = mutator.mutate(sources[round % sources.count])
      do {
        let loaded = try ConfigurationFile.load(text: text, path: Shipped.folder + "/fuzz.yaml")
        accepted += 1
        let again = try ConfigurationFile.load(text: loaded.resolvedYAML, path: "/fuzz.yaml")
        #expect(again.run == loaded.run, "\(text)")
      } catch {
        #expect(!error.errors.isEmpty && error.errors.count <= ErrorCollector.limit + 1)
        // The look at the text before parsing has to see every anchor and alias that the parser would.
        #expect(!error.description.contains("anchors are not used in"), "\(text)")
      }
    }
    #expect(accepted > Self.rounds / 20)
  }

  @Test("damaged overrides are applied or refused")
  func overrides() throws {
    let text = try BrokenConfiguration.base()
    let sources = [
      "training.epochs=3", "network.layers.1.conv2d.filters=32", "optimizer={adam: {learning_rate: 1e-3}}",
      "a=b",
      "data.test=none",
    ]
    var mutator = TextMutator(seed: 2)
    let plain = try ConfigurationFile.load(text: text, path: "c.yaml").run
    var applied = 0
    for round in 0..<1000 {
      let override = mutator.mutate(sources[round % sources.count])
      do {
        let run = try ConfigurationFile.load(text: text, path: "c.yaml", overrides: [Override(override)]).run
        if run != plain { applied += 1 }
      } catch {
        #expect(!error.errors.isEmpty)
      }
    }
    #expect(applied > 20)
  }
}
