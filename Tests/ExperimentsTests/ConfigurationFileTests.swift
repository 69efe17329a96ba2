import Compute
import Foundation
import Networks
import Settings
import Tensors
import Testing
import Training

@testable import Experiments

/// The repository's own configurations.
enum Shipped {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Configs").path
  private static let all = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  /// Of trainings.
  static let names = all.filter { (try? text($0).contains("\nlook:")) == false }
  /// Looks into a trained network stand beside the trainings and have no network of their own.
  static let lookNames = all.filter { (try? text($0).contains("\nlook:")) == true }

  static func path(_ name: String) -> String { "\(folder)/\(name).yaml" }
  static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}

@Suite struct ConfigurationFileTests {
  @Test("the lecture network's configuration means what it says")
  func fashionMNIST() throws {
    let loaded = try ConfigurationFile.load(path: Shipped.path("fashion-mnist"))
    let data = Shipped.folder.replacing("/Configs", with: "/Results/data/fashion-mnist.h5")
    let expected = RunConfiguration(
      name: "fashion-mnist", seed: 0,
      data: DataConfiguration(
        train: SampleSource(file: data, images: "train/images", labels: "train/labels"),
        test: SampleSource(file: data, images: "test/images", labels: "test/labels")),
      network: try Network(
        inputShape: [28, 28, 1],
        chain: [
          .rescale(Rescale(scale: 1 / 255)),
          .conv2D(Conv2D(filters: 25, kernel: Size2D(3), activation: .relu)),
          .maxPool2D(Pool2D(size: Size2D(2))),
          .conv2D(Conv2D(filters: 50, kernel: Size2D(3), activation: .relu)),
          .maxPool2D(Pool2D(size: Size2D(2))),
          .flatten,
          .dense(Dense(units: 100, activation: .relu)),
          .dense(Dense(units: 10)),
        ]),
      training: TrainingConfiguration(
        epochs: 10, batch: 128, metrics: [.accuracy],
        optimizer: .sgd(SGD(learningRate: 0.05, momentum: 0.9))))
    #expect(loaded.run == expected)
    #expect(loaded.network.parameterCount == 137_660)
  }

  @Test("resolved text loads again to the same run", arguments: Shipped.names)
  func roundTrip(_ name: String) throws {
    let loaded = try ConfigurationFile.load(path: Shipped.path(name))
    let yaml = try ConfigurationFile.load(text: loaded.resolvedYAML, path: "/elsewhere/config.yaml")
    #expect(yaml.run == loaded.run)
    #expect(yaml.resolvedYAML == loaded.resolvedYAML)
    let json = try ConfigurationFile.load(text: loaded.canonicalJSON, path: "/elsewhere/config.json")
    #expect(json.run == loaded.run)
    #expect(json.canonicalJSON == loaded.canonicalJSON)
    let annotated = try ConfigurationFile.load(text: loaded.annotatedYAML, path: "/elsewhere/config.yaml")
    #expect(annotated.run == loaded.run)
  }
}
