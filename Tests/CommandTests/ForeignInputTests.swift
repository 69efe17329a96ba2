import Foundation
import Glibc
import HDF5
import ImageFiles
import Paths
import TestSupport
import Testing

/// What people have: files whose names, pictures and tables other programs made.
@Suite("Input of other programs")
struct ForeignInputTests {
  private func picture(_ path: String, height: Int = 6, width: Int = 5) throws {
    #expect(Folder.make(Folder.parent(of: path)))
    try ImageFile.write(
      Image(
        height: height, width: width, channels: .grey,
        pixels: (0..<height * width).map { UInt8($0 * 5 % 256) }), to: path)
  }

  @Test("names that are not UTF-8 are read, written and shown, on the command line and in folders")
  func bytesOfNames() throws {
    let folder = try TemporaryDirectory()
    let odd = PathText.text(of: [0x63, 0xE9])
    for name in ["a/1.png", "\(odd)/\(odd).png"] { try picture("\(folder.path)/in/\(name)") }
    let home = "\(folder.path)/\(odd)"
    #expect(Folder.make(home) && rename("\(folder.path)/in".systemPath, "\(home)/in".systemPath) == 0)
    // The shell gives the bytes that text cannot.
    let shell = #"cd "\#(folder.path)"/"$(printf 'c\351')"; set -- "$@" "$(printf 'd\351/x.h5')""#
    let imported = try Program.run(
      ["import", "images", "--from", "in", "--size", "6x5", "--channels", "1", "--to"], shell: shell)
    #expect(imported.code == 0, "\(imported.errors)")
    #expect(
      imported.output.contains("d\\xE9/x.h5: 2 train samples of 6×5×1, 2 classes"), "\(imported.output)")
    #expect(imported.errors.contains("its class is called c\\xE9"), "\(imported.errors)")
    let shown = try Program.run(["inspect"], shell: shell)
    #expect(shown.code == 0 && shown.output.contains("c\\xE9"), "\(shown.output)\(shown.errors)")
    try picture("\(home)/\(odd).png")
    let run = try trained(folder)
    let predicted = try Program.run(
      ["predict", run],
      shell: #"cd "\#(folder.path)"/"$(printf 'c\351')"; set -- "$@" "$(printf 'c\351.png')""#)
    #expect(
      predicted.code == 0 && predicted.output.contains("c\\xE9.png"), "\(predicted.output)\(predicted.errors)"
    )
    let missing = try Program.run(["predict", run], shell: #"set -- "$@" "$(printf 'no\351.png')""#)
    #expect(missing.code == 66 && missing.errors.contains("no\\xE9.png"), "\(missing.errors)")
  }

  /// What a run leaves and takes up again: every command that knows runs, in a folder whose name is no text.
  @Test("runs, sweeps and looks work in folders, and in a temporary folder, whose names are not UTF-8")
  func bytesOfRuns() throws {
    let folder = try TemporaryDirectory()
    let odd = PathText.text(of: [0x72, 0xFF])
    let home = "\(folder.path)/\(odd)"
    #expect(Folder.make("\(home)/\(odd)"))
    try Sample.dataset("\(home)/\(odd).h5")
    // In a file that is UTF-8 a name that is not can be written so alone.
    let config = try Sample.config(
      folder, data: "\"r\\U0010F7FF.h5\"",
      network: "[rescale: {scale: 1/255}, conv2d: {filters: 2, kernel: 2}, flatten, dense: {units: 3}]")
    #expect(rename(config, "\(home)/c.yaml".systemPath) == 0)
    try WholeFile.write(
      "extends: c.yaml\nsweep: {grid: {learning_rate: [0.01, 0.1]}}\n".utf8, to: "\(home)/s.yaml")
    let enter = #"cd "\#(folder.path)"/"$(printf 'r\377')"; TMPDIR="$PWD"/"$(printf 'r\377')"; export TMPDIR"#
    func run(_ arguments: String..., more: String = "") throws -> String {
      let result = try Program.run(arguments, shell: more.isEmpty ? enter : "\(enter); \(more)")
      #expect(result.code == 0, "\(arguments): \(result.errors)")
      #expect(!result.output.contains("\u{FFFD}") && !result.errors.contains("warning"), "\(result)")
      return result.output
    }
    let toRun = #"set -- "$@" "$(printf 'run\377')""#
    _ = try run("train", "c.yaml", "--quiet", "--steps", "3", "--run-dir", more: toRun)
    let done = try run("train", "c.yaml", "--quiet", "--run-dir", more: toRun)
    #expect(done.contains("complete after 2 epochs") && done.contains("run\\xFF"), "\(done)")
    // What is to be pasted can be: a shell reads the name back.
    let next = try #require(done.firstMatch(of: /inspect (\$'run\\xFF')/)).1
    #expect(next == #"$'run\xFF'"#)
    let whole = try run("train", "c.yaml", "--quiet", "--run-dir", "whole")
    #expect(whole.contains("complete"))
    let runs = ["whole", "run\u{10F7FF}"].map { "\(home)/\($0)" }
    let digests = try runs.map { run in
      try #require(RunTableText(path: "\(run)/metrics.csv")).digests
    }
    #expect(digests[0] == digests[1] && digests[0].count == 2)
    for path in runs {
      #expect(Folder.names(in: path)?.contains { $0.hasPrefix("events.out.tfevents.") } == true)
      #expect(FileStatus.isFile("\(path)/report.html"))
    }
    let environment = try #require(WholeFile.text("\(runs[1])/environment.json"))
    #expect(environment.contains(#""run\udbfd\udfff""#), "\(environment)")
    #expect(try run("runs", ".").contains("./run\\xFF"))
    let listed = try run("runs", ".", "--json")
    #expect(
      try JSONDecoder().decode([Listed].self, from: Data(listed.utf8)).map(\.path) == [
        "./run\u{10F7FF}", "./whole",
      ])
    for command in [
      ["evaluate"], ["inspect"], ["look", "filters", "--to", "looks"], ["report"], ["report", "--json"],
    ] {
      let data =
        command[0] == "evaluate"
        ? #"set -- "$@" --data "$(printf 'r\377.h5')" --images train/images --labels train/labels"# : "true"
      let result = try Program.run(command, shell: "\(enter); \(toRun); \(data)")
      #expect(result.code == 0, "\(command): \(result.errors)")
    }
    #expect(
      try run(
        "evaluate", "best", "--data",
        more: #"set -- "$@" "$(printf 'r\377.h5')""# + " --images train/images --labels train/labels"
      ).contains("accuracy"))
    // A program that is given the path gets its bytes.
    let printed = try Program.run(["report"], shell: "\(enter); \(toRun); \"$@\" > out; set -- true")
    #expect(printed.code == 0)
    #expect(try WholeFile.read("\(home)/out", limit: 99) == PathText.bytes(of: "run\u{10F7FF}/report.html\n"))
    #expect(try run("sweep", "s.yaml", "--quiet").contains("0.1"))
    let script = try run("sweep", "s.yaml", "--slurm").trimmingCharacters(in: .newlines)
    let job = try WholeFile.read("\(home)/\(script)", limit: 1 << 16)
    let chdir = Array("#SBATCH --chdir=".utf8) + PathText.bytes(of: home) + [10]
    #expect(job.split(separator: 10).contains { $0.elementsEqual(chdir.dropLast()) })
    #expect(try run("config", "show", "c.yaml", "--resolved").contains(#"\U0010F7FF.h5""#))
    #expect(try run("plan", "c.yaml", "--seconds", "0.01").contains("s"))
    #expect(try run("bench", "c.yaml", "--seconds", "0.01", "--workers", "1").contains("s"))
    #expect(try run("runs", "rm", "--yes", more: toRun).contains("removed run\\xFF"))
    #expect(!FileStatus.exists(runs[1]) && FileStatus.exists(runs[0]))
  }

  private struct Listed: Decodable {
    let path: String
  }

  private struct RunTableText {
    let digests: [Substring]

    init?(path: String) {
      guard let text = WholeFile.text(path) else { return nil }
      digests = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").last ?? "" }
    }
  }

  private func trained(_ folder: TemporaryDirectory) throws -> String {
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder, epochs: 1)
    let run = folder.file("run")
    let result = try Program.run(["train", config, "--run-dir", run], in: folder.path)
    #expect(result.code == 0, "\(result.errors)")
    return run
  }

  @Test("folders of pictures are predicted like their files, into a table with every output")
  func folders() throws {
    let folder = try TemporaryDirectory()
    let run = try trained(folder)
    for (place, name) in ["a.png", "b, c.PNG", "deep/d.jpg", ".hidden.png", "__MACOSX/a.png"].enumerated() {
      try FileManager.default.createDirectory(
        atPath: folder.file("pictures/deep"), withIntermediateDirectories: true)
      try FileManager.default.createDirectory(
        atPath: folder.file("pictures/__MACOSX"), withIntermediateDirectories: true)
      let pixels = (0..<30).map { UInt8(($0 * 37 + place * 50) % 256) }
      try ImageFile.write(
        Image(height: 6, width: 5, channels: .grey, pixels: pixels), to: folder.file("pictures/\(name)"))
    }
    try folder.write("no picture", to: "pictures/notes.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("pictures/deep/back"), withDestinationPath: folder.file("pictures"))
    let result = try Program.run(["predict", run, "pictures", "--csv", "table.csv"], in: folder.path)
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.output == "table.csv\n")
    #expect(result.errors.contains("passed over 1 file other than PNG or JPEG files: pictures/notes.txt"))
    let rows = try #require(WholeFile.text(folder.file("table.csv"))).split(separator: "\n")
    #expect(
      rows.dropFirst().map { $0.split(separator: #",""#)[0].split(separator: ",")[0] }
        == ["pictures/a.png", #""pictures/b"#, "pictures/deep/d.jpg"])
    // The same files by name, whose outputs as JSON are those of the table.
    let files = ["pictures/a.png", "pictures/b, c.PNG", "pictures/deep/d.jpg"]
    let json = try Program.run(["predict", run, "--json"] + files, in: folder.path)
    let listed = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
    #expect(listed.count == 3)
    for (row, answer) in zip(rows.dropFirst(), listed) {
      let outputs = try #require(answer["probabilities"] as? [Double])
      #expect(row.split(separator: ",").suffix(outputs.count).compactMap { Double($0) } == outputs)
    }
    try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
    try expectFailure(["predict", run, folder.file("empty")], code: 65, says: "no PNG or JPEG files")
  }

  @Test("a picture is seen as its camera noted by prediction and looks, and as it is stored on request")
  func orientation() throws {
    let folder = try TemporaryDirectory()
    let run = try trained(folder)
    // The same picture upright, and lying on its side with a note that says so.
    let upright = Image(height: 6, width: 5, channels: .grey, pixels: (0..<30).map { UInt8($0) })
    let lying = Image(
      height: 5, width: 6, channels: .grey,
      pixels: (0..<5).flatMap { row in (0..<6).map { upright[$0, 4 - row, 0] } })
    try ImageFile.write(upright, to: folder.file("upright.png"))
    let png = try PNG.encode(lying)
    let exif: [UInt8] = [
      0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0,
    ]
    // The checksum of a chunk that no pixel is made of is not looked at.
    var noted = png
    noted.insert(
      contentsOf: [0, 0, 0, UInt8(exif.count)] + Array("eXIf".utf8) + exif + [0, 0, 0, 0], at: 33)
    try folder.write(noted, to: "lying.png")
    func outputs(_ file: String, _ more: String...) throws -> String {
      let result = try Program.run(["predict", run, folder.file(file), "--json"] + more)
      #expect(result.code == 0, "\(result.errors)")
      return result.output.replacing(file, with: "")
    }
    #expect(try outputs("lying.png") == outputs("upright.png"))
    #expect(try outputs("lying.png", "--orientation", "stored") != outputs("upright.png"))
    #expect(try outputs("upright.png", "--orientation", "stored") == outputs("upright.png"))
    func map(_ file: String, _ more: String...) throws -> [UInt8] {
      let to = folder.file("looks-\(file)\(more.count)")
      let result = try Program.run(
        ["explain", run, folder.file(file), "--range", "0,255", "--to", to] + more)
      #expect(result.code == 0, "\(result.errors)")
      return try ImageFile.read("\(to)/explain-occlusion.png").pixels
    }
    #expect(try map("lying.png") == map("upright.png"))
    #expect(try map("lying.png", "--orientation", "stored") != map("upright.png"))
  }

  @Test(
    "an import that is killed leaves a file which the next one removes with a word; a living one keeps its own"
  )
  func unfinishedFiles() throws {
    let folder = try TemporaryDirectory()
    try picture(folder.file("in/a/1.png"))
    // The number of a process that is no more.
    let gone = try Program.start(["--version"])
    #expect(try gone.finish().code == 0)
    let child = gone.pid
    for name in [".old.h5.\(child).part", ".old.h5.\(getpid()).part", ".old.h5.part", ".notes.\(child).part"]
    {
      try folder.write(name.hasPrefix(".notes") ? "not ours" : "", to: name)
    }
    let result = try Program.run(
      ["import", "images", "--from", folder.file("in"), "--size", "6x5", "--to", folder.file("x.h5")])
    #expect(result.code == 0)
    #expect(
      result.errors.contains("removed") && result.errors.contains(".old.h5.\(child).part"), "\(result.errors)"
    )
    let names = try folder.contents()
    #expect(
      names == [".notes.\(child).part", ".old.h5.\(getpid()).part", ".old.h5.part", "in", "x.h5"].sorted(),
      "\(names)")
  }

  @Test("tables name what is wrong with them, and options say how they are written")
  func tables() throws {
    let folder = try TemporaryDirectory()
    let latin = try folder.write(
      Array("a;label\n1,5;B\u{e4}r\n2;B\u{f6}r\n3;B\u{fc}r\n".unicodeScalars.map { UInt8($0.value) }),
      to: "l.csv")
    let to = folder.file("l.h5")
    try expectFailure(
      [
        "import", "csv", "--from", latin, "--label", "label", "--delimiter", ";", "--decimal", ",", "--to",
        to,
      ], code: 65,
      says: "line 2, column 2", "B\\xE4r", "--encoding")
    let read = [
      "import", "csv", "--from", latin, "--label", "label", "--delimiter", ";", "--decimal", ",",
      "--encoding",
      "windows-1252", "--to", to,
    ]
    let result = try Program.run(read)
    #expect(result.code == 0 && result.output.contains("3 classes"), "\(result.errors)")
    for (option, value) in [("--encoding", "klingon"), ("--decimal", "'"), ("--delimiter", ",")] {
      try expectFailure(read + [option, value, "--overwrite"], code: 64, says: option)
    }
    let big = try folder.write("a,b,label\n1e39,2,cat\n", to: "b.csv")
    try expectFailure(
      ["import", "csv", "--from", big, "--label", "label", "--to", to, "--overwrite"], code: 65,
      says: "line 2, column 1 (\"a\")", "float32")
    let index = try folder.write(",a,label\n0,1,x\n1,2,y\n", to: "i.csv")
    let indexed = try Program.run([
      "import", "csv", "--from", index, "--label", "label", "--to", folder.file("i.h5"),
    ])
    #expect(indexed.code == 0 && indexed.errors.contains("warning: ") && indexed.errors.contains("index"))
    #expect(indexed.output.contains("samples of 1,"), "\(indexed.output)")
  }
}
