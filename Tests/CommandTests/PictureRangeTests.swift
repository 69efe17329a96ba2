import Foundation
import HDF5
import ImageFiles
import TestSupport
import Testing

@Suite("Pictures for networks that were trained on other numbers than bytes")
struct PictureRangeTests {
  /// Pictures of 8×8 in four classes by brightness, a dataset of them, and a run.
  private struct Training {
    let folder: TemporaryDirectory
    let run: String
    let pictures: [String]
    let trained: Program.Result

    /// - Parameters:
    ///   - number: what a byte is in the dataset; nil keeps bytes.
    ///   - layers: before the others.
    init(first layers: String = "", _ number: ((UInt8) -> Float)?) throws {
      folder = try TemporaryDirectory()
      var random = SplitMix64(seed: 5)
      let samples = (0..<64).map { sample in
        (0..<64).map { _ in UInt8(70 * (sample % 4)) + UInt8(random.next() % 40) }
      }
      let file = try HDF5.File.create(folder.file("data.h5"), overwrite: true)
      for split in ["train", "test"] {
        let shape = [samples.count, 8, 8, 1]
        if let number {
          try file.root.makeDataset("\(split)/images", type: .float32, shape: shape)
            .write(samples.joined().map(number))
        } else {
          try file.root.makeDataset("\(split)/images", type: .uint8, shape: shape).write(
            Array(samples.joined()))
        }
        try file.root.makeDataset("\(split)/labels", type: .uint8, shape: [samples.count])
          .write(samples.indices.map { UInt8($0 % 4) })
      }
      try file.close()
      pictures = try samples.prefix(6).enumerated().map { [folder] index, pixels in
        let path = folder.file("\(index).png")
        try ImageFile.write(Image(height: 8, width: 8, channels: .grey, pixels: pixels), to: path)
        return path
      }
      run = folder.file("run")
      let config = try folder.write(
        """
        name: range
        data:
          train: {file: data.h5, images: train/images, labels: train/labels}
          test: {file: data.h5, images: test/images, labels: test/labels}
        network:
          input: [8, 8, 1]
          layers: [\(layers)conv2d: {filters: 4, kernel: 3, activation: relu}, flatten, dense: {units: 4}]
        training: {epochs: 2, batch: 16, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 1e-5}}}
        """, to: "range.yaml")
      trained = try Program.run(["train", config, "--run-dir", run, "--quiet"], in: folder.path)
      try #require(trained.code == 0, "\(trained.errors)")
    }

    /// The probabilities that the program gives, a row for each input.
    func predict(_ arguments: [String]) throws -> (rows: [[Double]], errors: String) {
      let result = try Program.run(["predict", run, "--json"] + arguments, in: folder.path)
      try #require(result.code == 0, "\(result.errors)")
      let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
      return (list?.compactMap { $0["probabilities"] as? [Double] } ?? [], result.errors)
    }
  }

  @Test(
    "a picture is predicted as its pixels in the dataset are", arguments: ["0 to 1", "0 to 255", "-1 to 1"])
  func floats(name: String) throws {
    let number: (UInt8) -> Float =
      switch name {
      case "0 to 1": { Float($0) / 255 }
      case "0 to 255": { Float($0) }
      default: { Float($0) / 127.5 - 1 }
      }
    let training = try Training(number)
    let rows = try training.predict(["--data", "data.h5", "--rows", "0-5"]).rows
    let (pictures, errors) = try training.predict(training.pictures)
    try #require(rows.count == 6 && pictures.count == 6)
    for (row, picture) in zip(rows, pictures) {
      for (wanted, found) in zip(row, picture) { #expect(abs(wanted - found) < 1e-6, "\(name)") }
    }
    // Where the range is guessed from both ends, it is said.
    #expect(errors.contains("scaled to -1 to 1") == (name == "-1 to 1"), "\(errors)")
    let other = try training.predict(training.pictures + ["--range", "0,4"]).rows
    #expect(other != pictures)
  }

  @Test("a network of bytes takes pictures as before")
  func bytes() throws {
    let training = try Training(first: "rescale: {scale: 1/255}, ", nil)
    #expect(training.trained.errors.isEmpty)
    let rows = try training.predict(["--data", "data.h5", "--rows", "0-5"])
    let pictures = try training.predict(training.pictures)
    #expect(rows.rows == pictures.rows && pictures.errors.isEmpty)
    let inspected = try Program.run(["inspect", training.run])
    #expect(inspected.output.contains("trained on samples of bytes from "), "\(inspected.output)")
  }

  @Test("numbers that do not tell what black and white are make every command ask for them")
  func standardised() throws {
    let training = try Training { (Float($0) - 134) / 66.5 }
    let picture = training.pictures[0]
    try expectFailure(
      ["predict", training.run, picture], code: 64, says: "trained on floats from -2.", "--range LOW,HIGH")
    try expectFailure(
      ["explain", training.run, picture, "--to", training.folder.file("look")], code: 64,
      says: "trained on floats from -2.", "--black and --white")
    let rows = try training.predict(["--data", "data.h5", "--rows", "0-5"]).rows
    let (low, high) = (Float(0 - 134) / 66.5, Float(255 - 134) / 66.5)
    let pictures = try training.predict(training.pictures + ["--range", "\(low),\(high)"]).rows
    for (row, picture) in zip(rows, pictures) {
      for (wanted, found) in zip(row, picture) { #expect(abs(wanted - found) < 1e-5) }
    }
    let look = try Program.run(
      [
        "explain", training.run, picture, "--to", training.folder.file("look"), "--black", "\(low)",
        "--white",
        "\(high)",
      ])
    #expect(look.code == 0, "\(look.errors)")
    // What looks at no picture needs no range.
    #expect(try Program.run(["look", "filters", training.run, "--to", training.folder.file("f")]).code == 0)
    try expectFailure(
      ["predict", training.run, picture, "--range", "1,0"], code: 64, says: "the smaller one first")
  }

  @Test("training, evaluating and looking at data warn of pixels of another size, and show what they are")
  func warnings() throws {
    let small = try Training(first: "rescale: {scale: 1/255}, ") { Float($0) / 255 }
    #expect(
      small.trained.errors.contains("warning: the training samples are floats from 0 to 0.")
        && small.trained.errors.contains("rescale seems to be meant for larger numbers"),
      "\(small.trained.errors)")
    let large = try Training(nil)
    #expect(large.trained.errors.contains("as `rescale: {scale: "), "\(large.trained.errors)")
    let evaluated = try Program.run(["evaluate", small.run, "--data", large.folder.file("data.h5")])
    #expect(evaluated.code == 0 && evaluated.errors.contains("are bytes from "), "\(evaluated.errors)")
    let own = try Program.run(["evaluate", small.run, "--data", small.folder.file("data.h5")])
    #expect(own.code == 0 && own.errors.isEmpty, "\(own.errors)")
    let checked = try Program.run(["dataset", "check", small.folder.file("data.h5")])
    #expect(checked.output.contains("floats from 0 to 0."), "\(checked.output)")
    let inspected = try Program.run(["inspect", large.folder.file("data.h5")])
    #expect(inspected.output.contains("samples of 8×8×1, bytes from "), "\(inspected.output)")
  }

  @Test("pictures are fitted as those of the training, or with a warning where that is unknown")
  func fit() throws {
    let folder = try TemporaryDirectory()
    // What tells the classes apart lies at the ends, which cropping cuts off.
    for (name, bright) in [("left", 0..<4), ("right", 20..<24)] {
      for index in 0..<6 {
        let pixels = (0..<8 * 24).map { bright.contains($0 % 24) ? UInt8(250 - index) : UInt8(index) }
        try FileManager.default.createDirectory(
          atPath: folder.file("wide/\(name)"), withIntermediateDirectories: true)
        try ImageFile.write(
          Image(height: 8, width: 24, channels: .grey, pixels: pixels),
          to: folder.file("wide/\(name)/\(index).png"))
      }
    }
    func probabilities(_ arguments: [String]) throws -> (rows: [String], errors: String) {
      let csv = folder.file("out.csv")
      let result = try Program.run(
        ["predict", folder.file("run")] + arguments + ["--csv", csv, "--overwrite"])
      #expect(result.code == 0, "\(result.errors)")
      let text = try String(contentsOfFile: csv, encoding: .utf8)
      // The outputs without the input, the answer and the right answer.
      return (
        text.split(separator: "\n").dropFirst().map {
          $0.split(separator: ",").suffix(2).joined(separator: ",")
        },
        result.errors
      )
    }
    let data = folder.file("data.h5")
    let pictures = ["left", "right"].map { folder.file("wide/\($0)/0.png") }
    let imported = try Program.run([
      "import", "images", "--from", folder.file("wide"), "--size", "8", "--channels", "1", "--fit", "pad",
      "--to", data,
    ])
    #expect(imported.code == 0, "\(imported.errors)")
    let config = try folder.write(
      """
      name: fit
      data:
        train: {file: data.h5, images: train/images, labels: train/labels}
      network: {input: [8, 8, 1], layers: [flatten, dense: {units: 2}]}
      training: {epochs: 1, batch: 4, loss: softmax_cross_entropy, optimizer: {sgd: {learning_rate: 1e-5}}}
      """, to: "fit.yaml")
    func train() throws {
      let result = try Program.run(
        ["train", config, "--run-dir", folder.file("run"), "--quiet"], in: folder.path)
      try #require(result.code == 0, "\(result.errors)")
    }
    try train()
    let rows = try probabilities([
      "--data", data, "--images", "train/images", "--rows", "0,6",
    ]).rows
    let own = try probabilities(pictures)
    #expect(own.rows == rows && own.errors.isEmpty, "\(own)")
    #expect(try probabilities(pictures + ["--fit", "crop"]).rows != rows)

    // The same samples without the note.
    let unknown = folder.file("unknown.h5")
    let copied = try Program.run([
      "import", "hdf5", "--from", data, "--images", "train/images", "--labels", "train/labels", "--to",
      unknown,
    ])
    #expect(copied.code == 0, "\(copied.errors)")
    try FileManager.default.removeItem(atPath: data)
    try FileManager.default.moveItem(atPath: unknown, toPath: data)
    try FileManager.default.removeItem(atPath: folder.file("run"))
    try train()
    let guessed = try probabilities(pictures)
    #expect(
      guessed.errors.split(separator: "\n").count == 1 && guessed.errors.contains("--fit"), "\(guessed)")
    let said = try probabilities(pictures + ["--fit", "pad"])
    #expect(said.rows == rows && said.errors.isEmpty, "\(said)")
  }
}
