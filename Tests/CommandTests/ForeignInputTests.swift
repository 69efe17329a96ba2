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

  private func trained(_ folder: TemporaryDirectory) throws -> String {
    try Sample.dataset(folder.file("data.h5"))
    let config = try Sample.config(folder, epochs: 1)
    let run = folder.file("run")
    let result = try Program.run(["train", config, "--run-dir", run], in: folder.path)
    #expect(result.code == 0, "\(result.errors)")
    return run
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
