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

  @Test("prove goes through a checkpoint's file and finds the same bytes")
  func proved() throws {
    let folder = try TemporaryDirectory()
    let result = try Self.run(["prove", try Self.config(folder), "--workers", "1,3"])
    #expect(result.code == 0, "\(result.output)\(result.errors)")
    #expect(result.output.contains("resumed after 2 ") && result.output.contains("each of 4 steps"))
    #expect(try folder.contents() == ["data.h5", "partial.yaml"])
  }
}
