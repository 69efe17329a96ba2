import Foundation
import Settings
import TestSupport
import Testing

@testable import Experiments

/// No number in a configuration makes the program trap, hang, or take all memory.
@Suite("Extreme settings")
struct ExtremeSettingTests {
  private static let values = ExtremeNumberTests.values

  private let folder: TemporaryDirectory
  private let training: String
  private let look: String

  init() throws {
    folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"))
    try Sample.dataset(folder.file("pictures.h5"), imageShape: [40, 9, 8, 3])
    try LookSample.network(folder.file("net.h5"))
    try LookSample.picture(folder.file("a.png"), height: 40, width: 36)
    training = try Sample.config(folder)
    look = try folder.write("name: look\ncheckpoint: net.h5\nlook: filters\n", to: "look.yaml")
  }

  private var walk: SchemaWalk {
    SchemaWalk(files: ["file": "pictures.h5", "images": "train/images", "labels": "train/labels"])
  }

  /// Reads a configuration with each number at each place, and gives one that is taken for each place, in turn the first, the
  /// second, and so on.
  private func taken(
    _ places: [SchemaWalk.Place], _ load: (Override) throws(ConfigurationErrors) -> Void
  ) -> [String] {
    var all: [String] = []
    for place in places {
      var found: [String] = []
      for value in Self.values + place.schema.ends {
        let override = place.override(value)
        do throws(ConfigurationErrors) {
          try load(Override(override))
          found.append(override)
        } catch {
          #expect(!error.errors.isEmpty, "\(override)")
        }
      }
      if !found.isEmpty { all.append(found[all.count % found.count]) }
    }
    return all
  }

  /// Runs the program with each override, two at a time.
  private func run(_ overrides: [String], _ arguments: @escaping @Sendable (Int) -> [String]) async {
    let path = folder.path
    await withTaskGroup(of: Void.self) { group in
      for (index, override) in overrides.enumerated() {
        if index >= 2 { await group.next() }
        group.addTask {
          let run = BoundedRun(arguments(index) + ["--set", override], in: path)
          #expect(run.isClean, "\(override): \(run.description)")
          try? FileManager.default.removeItem(atPath: "\(path)/run\(index)")
        }
      }
    }
  }

  @Test("every number of a training's configuration is refused, or trained with")
  func trainings() async throws {
    let text = try String(contentsOfFile: training, encoding: .utf8)
    let places = walk.places(RunSchema.root)
    #expect(places.count > 250)
    let taken = taken(places) { override throws(ConfigurationErrors) in
      _ = try ConfigurationFile.load(text: text, path: training, overrides: [override])
    }
    #expect(taken.count > 150)
    // A network may honestly be too large for a test: its sizes are only worked out.
    let networks = taken.filter { $0.hasPrefix("network.") }
    let others = taken.filter { !$0.hasPrefix("network.") }
    #expect(networks.count > 40 && others.count > 50)
    await run(networks) { _ in ["config", "check", "tiny.yaml"] }
    await run(others) { ["train", "tiny.yaml", "--steps", "1", "--quiet", "--run-dir", "run\($0)"] }
  }

  @Test("every number of a look's configuration is refused, or looked with")
  func looks() async throws {
    let text = try String(contentsOfFile: look, encoding: .utf8)
    let places = walk.places(LookSchema.root)
    #expect(places.count > 50)
    let taken = taken(places) { override throws(ConfigurationErrors) in
      _ = try LookConfiguration.load(text: text, path: look, overrides: [override])
    }
    #expect(taken.count > 50)
    await run(taken) { ["look", "run", "look.yaml", "--run-dir", "run\($0)"] }
  }
}
