import Digests
import Foundation
import TestSupport

/// A sound file, and how the program reads it.
struct SeedFile {
  /// Its name and the command, for messages.
  let name: String
  let format: String
  let bytes: [UInt8]
  /// Its path in a folder of its own.
  private let path: String
  /// Other files of that folder, by their paths.
  private let others: [String: [UInt8]]
  /// The command, with FILE, FOLDER and OUT for paths.
  private let command: [String]

  private init(
    _ format: String, _ source: String, as path: String? = nil, others: [String: String] = [:],
    _ command: String
  ) throws {
    self.format = format
    name = "\(URL(fileURLWithPath: source).lastPathComponent) (\(command.prefix(40)))"
    bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source)))
    self.path = path ?? "a.\(URL(fileURLWithPath: source).pathExtension)"
    self.others = try others.mapValues { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) }
    self.command = command.split(separator: " ").map(String.init)
  }

  func arguments(_ folder: String) -> [String] {
    command.map { word in
      switch word {
      case "FILE": "\(folder)/\(path)"
      case "OUT": "\(folder)/out.h5"
      default: word.hasPrefix("FOLDER/") ? folder + word.dropFirst("FOLDER".count) : word
      }
    }
  }

  /// Puts bytes in the file's place into a new folder.
  ///
  /// - Returns: the folder.
  func place(_ bytes: [UInt8], in folder: String) throws -> String {
    try? FileManager.default.removeItem(atPath: folder)
    for (path, bytes) in others.merging([path: bytes], uniquingKeysWith: { $1 }) {
      let target = URL(fileURLWithPath: "\(folder)/\(path)")
      try FileManager.default.createDirectory(
        at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: target)
    }
    return folder
  }

  /// With the checksums that a person would put right who wants to do harm.
  func sealed(_ bytes: [UInt8], _ dice: inout SplitMix64) -> [UInt8] {
    switch format {
    case "checkpoint": Checksums.sealingCheckpoint(bytes)
    // Now and then not: what a broken disk does is tried, too.
    case "PNG": dice.next(below: 4) == 0 ? bytes : Checksums.sealingPNG(bytes)
    default: bytes
    }
  }

  // MARK: - The files

  static func all(_ options: Options, scratch: String) throws -> [SeedFile] {
    let files = try hdf5(options, scratch) + others("\(options.project)/Tests/FileFuzz/Seeds", options)
    let wanted = options.format?.lowercased()
    let chosen = files.filter { wanted == nil || $0.format.lowercased() == wanted }
    guard !chosen.isEmpty else {
      throw FuzzError("there is no format \(options.format ?? ""): \(Set(files.map(\.format)).sorted())")
    }
    return chosen
  }

  private static func hdf5(_ options: Options, _ scratch: String) throws -> [SeedFile] {
    let data = "\(options.project)/Tests/DatasetsTests/Fixtures"
    let models = "\(options.project)/Tests/InterchangeTests/Fixtures"
    let kinds = "\(data)/kinds.h5"
    var files = try [
      "class-names", "layouts-old-format", "layouts-user-block", "layouts", "circle",
    ].map { try SeedFile("dataset", "\(data)/\($0).h5", "dataset check FILE") }
    for pair in [
      "bool/images-gzip bool/labels", "bits/images bits/labels", "lzf/images lzf/labels",
      "lzf/floats scaled/labels",
      "virtual/own enum/labels", "virtual/deep float/labels",
    ] {
      let names = pair.split(separator: " ")
      files.append(
        try SeedFile(
          "dataset", kinds, others: ["kinds-part.h5": "\(data)/kinds-part.h5"],
          "dataset check FILE --images \(names[0]) --labels \(names[1])"))
    }
    for pair in ["axes/nchw words/variable NCHW", "axes/hwcn words/fixed HWCN", "axes/fn one-hot/columns FN"]
    {
      let names = pair.split(separator: " ")
      files.append(
        try SeedFile(
          "HDF5 import", kinds,
          "import hdf5 --from FILE --images \(names[0]) --labels \(names[1]) --axes \(names[2]) --to OUT"))
    }
    files.append(try SeedFile("inspect", kinds, "inspect FILE"))
    for name in ["sequential-keras2", "sequential-keras3", "functional-keras2", "functional-keras3"] {
      files.append(try SeedFile("Keras model", "\(models)/\(name).h5", "import keras FILE --to OUT"))
      files.append(try SeedFile("inspect", "\(models)/\(name).h5", "inspect FILE"))
      let checkpoint = "\(scratch)/\(name).h5"
      let making = ["import", "keras", "\(models)/\(name).h5", "--to", checkpoint]
      let result = try FuzzChild.run(options.program, making, limit: 60, output: "\(scratch)/log")
      // Fixtures come and go with the layers that are read.
      guard result.ending == .exited(0) else { continue }
      files.append(try SeedFile("checkpoint", checkpoint, "inspect FILE"))
    }
    return files
  }

  private static func others(_ folder: String, _ options: Options) throws -> [SeedFile] {
    var files: [SeedFile] = []
    for name in [
      "rgb.png", "palette.png", "grey16.png", "alpha.png", "baseline.jpg", "progressive.jpg", "grey.jpg",
      "turned.jpg",
    ] {
      let ending = String(name.suffix(3))
      files.append(
        try SeedFile(
          ending == "png" ? "PNG" : "JPEG", "\(folder)/\(name)", as: "pictures/cat/1.\(ending)",
          "import images --from FOLDER/pictures --size 8 --to OUT"))
    }
    for name in ["images.idx", "images.idx.gz"] {
      files.append(
        try SeedFile(
          "IDX", "\(folder)/\(name)", others: ["labels.idx": "\(folder)/labels.idx"],
          "import idx --images FILE --labels FOLDER/labels.idx --to OUT"))
    }
    for name in ["images.npy", "floats.npy"] {
      files.append(
        try SeedFile(
          "npy", "\(folder)/\(name)", others: ["labels.npy": "\(folder)/labels.npy"],
          "import numpy --images FILE --labels FOLDER/labels.npy --to OUT"))
    }
    for name in ["stored.npz", "deflated.npz"] {
      files.append(
        try SeedFile("npz", "\(folder)/\(name)", "import numpy --from FILE --images x --labels y --to OUT"))
    }
    for name in ["cifar.tar", "cifar.tar.gz"] {
      files.append(
        try SeedFile(
          "tar and pickle", "\(folder)/\(name)", as: "a.tar.gz", "import cifar10 --from FILE --to OUT"))
    }
    for name in ["table.csv", "table.csv.gz"] {
      files.append(try SeedFile("CSV", "\(folder)/\(name)", "import csv --from FILE --label label --to OUT"))
    }
    for name in ["fashion-mnist", "resnet20-fashion-mnist", "gallery"] {
      let configs = "\(options.project)/Configs"
      files.append(
        try SeedFile(
          "YAML", "\(configs)/\(name).yaml", others: ["fashion-mnist.yaml": "\(configs)/fashion-mnist.yaml"],
          "config check FILE"))
    }
    return files
  }
}
