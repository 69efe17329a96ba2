import Foundation

/// The sound files of every format.
struct SeedFiles {
  private let options: Options
  /// Where what the program itself writes is put.
  private let scratch: String

  init(_ options: Options, scratch: String) {
    self.options = options
    self.scratch = scratch
  }

  func all() throws -> [SeedFile] {
    let files =
      try datasets() + imports() + models() + runs() + pictures() + arrays() + archives() + tables()
      + texts() + sounds() + records() + configurations()
    let wanted = options.format?.lowercased()
    let chosen = files.filter { wanted == nil || $0.format.lowercased() == wanted }
    guard !chosen.isEmpty else {
      throw FuzzError("there is no format \(options.format ?? ""): \(Set(files.map(\.format)).sorted())")
    }
    return chosen
  }

  private var seeds: String { "\(options.project)/Tests/FileFuzz/Seeds" }
  private var data: String { "\(options.project)/Tests/DatasetsTests/Fixtures" }
  private var kinds: String { "\(data)/kinds.h5" }

  /// Has the program make a file.
  private func make(_ path: String, _ arguments: [String]) throws -> String {
    let result = try FuzzChild.run(options.program, arguments, limit: 600, output: "\(scratch)/log")
    guard result.ending == .exited(0) else {
      throw FuzzError(
        "\(arguments.joined(separator: " ")): \(result.ending)\n\(FuzzChild.text("\(scratch)/log"))")
    }
    return path
  }

  // MARK: - HDF5

  private func datasets() throws -> [SeedFile] {
    var files = try [
      "class-names", "layouts-old-format", "layouts-user-block", "layouts", "circle",
    ].map { try SeedFile("dataset", "\(data)/\($0).h5", "dataset check FILE") }
    for layout in ["gzip-odd", "float32-gzip-shuffle", "partial", "float16", "checksum", "chunked-larger"] {
      files.append(
        try SeedFile(
          "dataset", "\(data)/layouts.h5",
          "dataset check FILE --images \(layout)/images --labels \(layout)/labels"))
    }
    for pair in [
      "bool/images-gzip bool/labels", "bits/images bits/labels", "lzf/images lzf/labels",
      "lzf/floats scaled/labels", "virtual/own enum/labels", "virtual/deep float/labels",
    ] {
      let names = pair.split(separator: " ")
      files.append(
        try SeedFile(
          "dataset", kinds, others: ["kinds-part.h5": "\(data)/kinds-part.h5"],
          "dataset check FILE --images \(names[0]) --labels \(names[1])"))
    }
    for layout in ["gzip-shuffle", "chunked-rows"] {
      files.append(
        try SeedFile(
          "dataset", "\(data)/layouts-old-format.h5",
          "dataset repack FILE --images \(layout)/images --labels \(layout)/labels --to OUT"))
    }
    return files
  }

  private func imports() throws -> [SeedFile] {
    var files: [SeedFile] = []
    for pair in ["axes/nchw words/variable NCHW", "axes/hwcn words/fixed HWCN", "axes/fn one-hot/columns FN"]
    {
      let names = pair.split(separator: " ")
      files.append(
        try SeedFile(
          "HDF5 import", kinds,
          "import hdf5 --from FILE --images \(names[0]) --labels \(names[1]) --axes \(names[2]) --to OUT"))
    }
    files.append(try SeedFile("inspect", kinds, "inspect FILE"))
    return files
  }

  // MARK: - Models and what trainings leave

  private func models() throws -> [SeedFile] {
    let folder = "\(options.project)/Tests/InterchangeTests/Fixtures"
    var files: [SeedFile] = []
    for name in ["sequential", "functional", "nested", "words", "mobile", "operations", "regression"].flatMap(
      {
        ["\($0)-keras2", "\($0)-keras3"]
      })
    {
      files.append(try SeedFile("Keras model", "\(folder)/\(name).h5", "import keras FILE --to OUT"))
      guard name.hasPrefix("seq") || name.hasPrefix("fun") else { continue }
      files.append(try SeedFile("inspect", "\(folder)/\(name).h5", "inspect FILE"))
      let checkpoint = try make(
        "\(scratch)/\(name).h5", ["import", "keras", "\(folder)/\(name).h5", "--to", "\(scratch)/\(name).h5"])
      files.append(try SeedFile("checkpoint", checkpoint, "inspect FILE"))
    }
    for name in [
      "resnet-dynamo", "convnext-torchscript", "unet-torchscript", "shuffled-torchscript", "words-dynamo",
      "keras-tf2onnx",
    ] {
      files.append(try SeedFile("ONNX", "\(folder)/ONNX/\(name).onnx", "import onnx FILE --to OUT"))
    }
    files.append(
      try SeedFile(
        "ONNX", "\(folder)/ONNX/external.onnx", others: ["external.bin": "\(folder)/ONNX/external.bin"],
        "import onnx FILE --to OUT"))
    files.append(try SeedFile("ONNX", "\(folder)/ONNX/vgg-dynamo.onnx", "inspect FILE"))
    for name in ["plain", "nested", "words"] {
      files.append(
        try SeedFile("Keras archive", "\(folder)/Archives/\(name).keras", "import keras FILE --to OUT"))
    }
    files.append(
      try SeedFile(
        "safetensors", "\(folder)/Safetensors/net.safetensors",
        others: [
          "net.yaml": "\(folder)/Safetensors/net.yaml", "names.json": "\(folder)/Safetensors/names.json",
        ],
        "import safetensors FILE --architecture FOLDER/net.yaml --names FOLDER/names.json --to OUT"))
    return files
  }

  /// A run of two epochs with a running average and an optimizer that remembers, and all that is read of it.
  private func runs() throws -> [SeedFile] {
    let place = "\(scratch)/run"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let data = try make(
      "\(place)/data.h5",
      [
        "import", "numpy", "--from", "\(seeds)/stored.npz", "--images", "x", "--labels", "y", "--to",
        "\(place)/data.h5",
      ])
    let configuration = "\(place)/small.yaml"
    try Data(Self.training.utf8).write(to: URL(fileURLWithPath: configuration))
    let run = try make(
      "\(place)/done", ["train", configuration, "--run-dir", "\(place)/done", "--quiet", "--workers", "1"])
    var others = ["data.h5": data, "small.yaml": configuration]
    let kept = FileManager.default.enumerator(atPath: run)?.compactMap { $0 as? String } ?? []
    for name in kept where !name.contains("tfevents") && name != "lock" {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(run)/\(name)")
      if attributes[.type] as? FileAttributeType == .typeRegular { others["done/\(name)"] = "\(run)/\(name)" }
    }
    func file(_ format: String, _ name: String, isText: Bool = false, _ command: String) throws -> SeedFile {
      var rest = others
      rest["done/\(name)"] = nil
      return try SeedFile(
        format, "\(run)/\(name)", as: "done/\(name)", others: rest, isText: isText, command)
    }
    guard let newest = kept.filter({ $0.hasPrefix("checkpoints/checkpoint-") }).max() else {
      throw FuzzError("a training left no checkpoint")
    }
    let again = "train FOLDER/small.yaml --run-dir FOLDER/done --quiet --workers 1"
    return try [
      file("checkpoint", newest, "inspect FILE"),
      file(
        "checkpoint", newest,
        "predict FILE --data FOLDER/data.h5 --images train/images --labels train/labels --rows 0-2"),
      file("checkpoint", newest, again),
      file("run", "state.json", isText: true, "runs FOLDER"),
      file("run", "state.json", isText: true, again),
      file("run", "metrics.csv", isText: true, "report FOLDER/done --output FOLDER/out.html"),
      file("run", "steps.csv", isText: true, "report FOLDER/done --output FOLDER/out.html"),
      file("run", "metrics.csv", isText: true, again),
      file("run", "config.yaml", isText: true, "report FOLDER/done --output FOLDER/out.html"),
      file("run", "environment.json", isText: true, "report FOLDER/done --output FOLDER/out.html"),
    ]
  }

  private static let training = """
    name: small
    data:
      train: {file: data.h5, images: train/images, labels: train/labels}
    network:
      input: [5, 4, 1]
      layers: [{conv2d: {filters: 2, kernel: 3}}, batch_norm, flatten, dense: {units: 3}]
    training: {epochs: 2, batch: 4, loss: softmax_cross_entropy, optimizer: {adam: {learning_rate: 0.01}}, ema: {decay: 0.9}}
    """

  // MARK: - Pictures, arrays, archives, tables, configurations

  private func pictures() throws -> [SeedFile] {
    try [
      "rgb.png", "palette.png", "grey16.png", "alpha.png", "bits.png", "interlaced.png", "baseline.jpg",
      "progressive.jpg", "grey.jpg", "turned.jpg", "cmyk.jpg", "restarts.jpg",
    ].map { name in
      let ending = String(name.suffix(3))
      // The rows of an interlaced picture are those of seven, which a change of lengths mixes up as well.
      return try SeedFile(
        ending == "png" ? "PNG" : "JPEG", "\(seeds)/\(name)", as: "pictures/cat/1.\(ending)",
        packing: ending == "png" ? .png : nil, "import images --from FOLDER/pictures --size 8 --to OUT")
    }
  }

  private func arrays() throws -> [SeedFile] {
    var files: [SeedFile] = []
    for (name, packing) in [("images.idx", nil), ("images.idx.gz", Packing.gzip)] {
      files.append(
        try SeedFile(
          "IDX", "\(seeds)/\(name)", others: ["labels.idx": "\(seeds)/labels.idx"], packing: packing,
          "import idx --images FILE --labels FOLDER/labels.idx --to OUT"))
    }
    files.append(
      try SeedFile(
        "IDX", "\(seeds)/labels.idx", others: ["images.idx": "\(seeds)/images.idx"],
        "import idx --images FOLDER/images.idx --labels FILE --to OUT"))
    for name in ["images.npy", "floats.npy", "big-endian.npy"] {
      files.append(
        try SeedFile(
          "npy", "\(seeds)/\(name)", others: ["labels.npy": "\(seeds)/labels.npy"],
          "import numpy --images FILE --labels FOLDER/labels.npy --to OUT"))
    }
    files.append(
      try SeedFile(
        "npy", "\(seeds)/labels.npy", others: ["images.npy": "\(seeds)/images.npy"],
        "import numpy --images FOLDER/images.npy --labels FILE --to OUT"))
    for name in ["stored.npz", "deflated.npz"] {
      files.append(
        try SeedFile(
          "npz (zip)", "\(seeds)/\(name)", packing: .zip,
          "import numpy --from FILE --images x --labels y --to OUT"))
    }
    return files
  }

  private func archives() throws -> [SeedFile] {
    try [
      ("cifar.tar", "cifar10", Packing.tar), ("cifar.tar.gz", "cifar10", .tarGzip),
      ("names.tar.gz", "cifar10", .tarGzip),
      ("cifar100.tar.gz", "cifar100", .tarGzip),
    ].map { name, kind, packing in
      try SeedFile(
        "tar and pickle", "\(seeds)/\(name)", as: "a.tar.gz", packing: packing,
        "import \(kind) --from FILE --to OUT")
    }
  }

  private func tables() throws -> [SeedFile] {
    try [
      ("table.csv", nil, "--label label"), ("table.csv.gz", Packing.gzip, "--label label"),
      ("table.csv", nil, "--targets a,b"), ("utf16.csv", nil, "--label label --delimiter tab"),
      ("quoted.csv", nil, "--label Art --delimiter ; --decimal ,"),
    ].map { name, packing, options in
      try SeedFile(
        "CSV", "\(seeds)/\(name)", packing: packing, isText: true,
        "import csv --from FILE \(options) --to OUT")
    }
  }

  private func texts() throws -> [SeedFile] {
    try [
      ("texts.csv", "--from FILE --text text --label kind"),
      ("texts.jsonl", "--from FILE --text text --label kind"),
      ("texts.csv", "--class a=FILE --class b=FILE --tokens kim"),
      ("utf16.csv", "--class a=FILE --class b=FILE --encoding utf-16 --tokens characters"),
    ].map { name, options in
      try SeedFile(
        "texts", "\(seeds)/\(name)", isText: true, "import text \(options) --to OUT")
    }
  }

  private func sounds() throws -> [SeedFile] {
    try ["wav", "flac", "ogg", "aiff"].map { kind in
      try SeedFile(
        "sounds", "\(seeds)/sound.\(kind)", as: "sound.\(kind)",
        others: ["list.csv": "\(seeds)/sound-\(kind).csv"],
        "import audio --from FOLDER/list.csv --path file --label kind --bands 20 --to OUT")
    }
  }

  /// Records of Go games, and archives of them, whose sound files are those of the importer's tests.
  private func records() throws -> [SeedFile] {
    let folder = "\(data)/records"
    return try [
      ("SGF", "games/1.sgf", nil), ("7z", "games.7z", nil), ("tar of records", "games.tar", Packing.tar),
      ("tar of records", "games.tar.gz", .tarGzip), ("tar of records", "games.tar.xz", nil),
      ("tar of records", "games.tar.zst", nil), ("zip of records", "games.zip", .zip),
    ].map { format, name, packing in
      try SeedFile(
        format, "\(folder)/\(name)", packing: packing, isText: format == "SGF",
        "import sgf FILE --size 9 --test 0 --to OUT")
    }
  }

  private func configurations() throws -> [SeedFile] {
    let folder = "\(options.project)/Configs"
    return try ["fashion-mnist", "resnet20-fashion-mnist", "gallery", "sweep-optimizers", "dream"].compactMap
    { name in
      guard FileManager.default.fileExists(atPath: "\(folder)/\(name).yaml") else { return nil }
      return try SeedFile(
        "YAML", "\(folder)/\(name).yaml", others: ["fashion-mnist.yaml": "\(folder)/fashion-mnist.yaml"],
        isText: true,
        "config check FILE")
    }
  }
}
