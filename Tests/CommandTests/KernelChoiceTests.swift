import Foundation
import TestSupport
import Testing

/// Which kernels a training has may not depend on whether it was stopped, on no CPU: `Tests/KernelShim` gives every one a second
/// algorithm of convolutions with other bits.
@Suite("Kernels of interrupted trainings")
struct KernelChoiceTests {
  /// The shim, compiled once by the C compiler that comes with Swift.
  private static let shim: Result<String, any Error> = Result {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("KernelShim/kernel_shim.c").path
    let target = FileManager.default.temporaryDirectory
      .appendingPathComponent("kernel-shim-\(ProcessInfo.processInfo.processIdentifier).so").path
    let result = try Program.run(
      ["clang", "-O1", "-shared", "-fPIC", "-o", target, source, "-ldl"], program: "/usr/bin/env")
    try #require(result.code == 0, "no C compiler: \(result.errors)")
    return target
  }

  private static func run(_ arguments: [String]) throws -> Program.Result {
    try Program.run(arguments, shell: "export LD_PRELOAD=\(try shim.get())")
  }

  /// Minibatches of 50 in shards of 12, the last of 2: the cost model takes Winograd for the second convolution in full shards alone.
  private static func config(_ folder: TemporaryDirectory) throws -> String {
    try Sample.dataset(folder.file("data.h5"), count: 100, imageShape: [100, 8, 8, 1])
    return try folder.write(
      """
      name: partial
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network:
        input: [8, 8, 1]
        layers:
          - rescale: {scale: 1/255}
          - conv2d: {filters: 24, kernel: 3, padding: same, activation: relu}
          - conv2d: {filters: 40, kernel: 3, padding: same, activation: relu}
          - max_pool2d: {size: 2}
          - flatten
          - dense: {units: 3}
      training:
        epochs: 2
        batch: 50
        shard: 12
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.05}}
      """, to: "partial.yaml")
  }

  @Test(
    "stopped after every step, a training whose partial shards suit another algorithm comes to the same bytes"
  )
  func stopped() throws {
    let folder = try TemporaryDirectory()
    let config = try Self.config(folder)
    func train(_ run: String, _ more: [String] = []) throws {
      let result = try Self.run(["train", config, "--run-dir", folder.file(run), "--quiet"] + more)
      #expect(result.code == 0, "\(result.errors)")
    }
    try train("whole")
    for workers in 1...4 { try train("pieces", ["--steps", "1", "--workers", "\(workers)"]) }
    #expect(try Sample.digest(folder.file("pieces")) == Sample.digest(folder.file("whole")))
    // The second algorithm is there, and its bits are others.
    try train("direct", ["--set", "training.tuning=direct"])
    #expect(try Sample.digest(folder.file("direct")) != Sample.digest(folder.file("whole")))
  }

  /// The second algorithm gives images in blocks of 8 channels whose weights lie in blocks of 16: they are cut at the same places.
  @Test(
    "layers whose images and weights have blocks of other widths are computed in parts, and by several kernels in one network"
  )
  func otherBlocks() throws {
    let folder = try TemporaryDirectory()
    try Sample.dataset(folder.file("data.h5"), count: 12, imageShape: [12, 12, 12, 1])
    let config = try folder.write(
      """
      name: blocks
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network:
        input: [12, 12, 1]
        layers:
          - rescale: {scale: 1/255}
          - conv2d: {filters: 10, kernel: 3, name: first}
          - conv2d: {filters: 10, kernel: 3, padding: same, name: second}
          - add: {inputs: [first, second]}
          - elu
          - global_max_pool2d
          - dense: {units: 3}
      training:
        epochs: 1
        batch: 2
        loss: softmax_cross_entropy
        optimizer: {sgd: {learning_rate: 0.05}}
        tuning: {file: kernels.txt}
      """, to: "blocks.yaml")
    var losses: [[Double]] = []
    // The kernels of one pass at a time are others, and their results the same to rounding.
    for pass in ["none", "forward", "backward-data", "backward-weights"] {
      for parallelism in ["shards", "intra"] {
        let kernels = ["first", "second"].flatMap { layer in
          ["forward", "backward-data", "backward-weights"].map {
            "\(layer)/\($0) \($0 == pass ? "winograd" : "direct")"
          }
        }
        try folder.write((["shard 1"] + kernels).joined(separator: "\n") + "\n", to: "kernels.txt")
        let run = "\(pass)-\(parallelism)"
        let result = try Self.run([
          "train", config, "--run-dir", folder.file(run), "--quiet", "--set",
          "training.parallelism=\(parallelism)",
        ])
        #expect(result.code == 0, "\(run): \(result.errors)")
        losses.append(try Self.losses(of: folder.file(run)))
      }
    }
    for (place, other) in losses.enumerated() {
      #expect(
        other.count == 6 && zip(other, losses[0]).allSatisfy { abs($0 - $1) < 1e-4 }, "\(place): \(other)")
    }
  }

  /// The loss of each step of a run.
  private static func losses(of run: String) throws -> [Double] {
    try String(contentsOfFile: "\(run)/steps.csv", encoding: .utf8).split(separator: "\n").dropFirst()
      .compactMap { Double($0.split(separator: ",", omittingEmptySubsequences: false)[3]) }
  }

  @Test("prove goes through a checkpoint's file and finds the same bytes")
  func proved() throws {
    let folder = try TemporaryDirectory()
    let result = try Self.run(["prove", try Self.config(folder), "--workers", "1,3"])
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("resumed after 2 ") && result.output.contains("each of 4 steps"))
    #expect(try folder.contents() == ["data.h5", "partial.yaml"])
  }
}
