import Glibc
import Paths
import TestSupport
import Testing

@Suite("Names of files as text")
struct PathTextTests {
  @Test("every name comes back byte by byte, and no two have the same text")
  func roundTrip() {
    var random = SplitMix64(seed: 7)
    var texts: [[UInt8]: [UInt8]] = [:]
    // Bytes that begin, go on with and break characters, and those of the characters that stand for bytes.
    let pieces: [[UInt8]] = [
      [0xE9], [0xC3, 0xA9], [0xC3], [0xA9], [0xF4, 0x8F, 0x9E, 0x80], [0xF4, 0x8F, 0x9F, 0xBF], [0xF4, 0x8F],
      [0x9E],
      [0x61], [0x2E], [0xFF], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98, 0x80], [0xF4], [0x80], [0xC0, 0x80],
    ]
    for _ in 0..<20_000 {
      let name = (0..<Int(random.next() % 6)).flatMap { _ in pieces[Int(random.next() % UInt64(pieces.count))]
      }
      let text = PathText.text(of: name)
      #expect(PathText.bytes(of: text) == name)
      #expect(PathText.isUnicode(text) == (String(validating: name, as: UTF8.self) == text))
      let known = texts[Array(text.utf8)]
      #expect(known == nil || known == name)
      texts[Array(text.utf8)] = name
    }
  }

  @Test("what is UTF-8 stays as it is; other bytes are readable")
  func readable() {
    #expect(PathText.text(of: "größe/Ω.png".utf8) == "größe/Ω.png")
    let text = PathText.text(of: Array("caf".utf8) + [0xE9] + Array(".png".utf8))
    #expect(PathText.readable(text) == "caf\\xE9.png")
    #expect(PathText.readable("größe \u{10FFFF}") == "größe \u{10FFFF}")
    #expect(
      text.systemPath.map { UInt8(bitPattern: $0) } == Array("caf".utf8) + [0xE9] + Array(".png".utf8) + [0])
  }

  @Test("files are made, found, listed and read by names that are not UTF-8, in the order of their bytes")
  func files() throws {
    let folder = try TemporaryDirectory()
    let names: [[UInt8]] = [[0x61], [0x62, 0xE9], [0x7A], [0xC3, 0xA9], [0xE9], [0xE9, 0x61]]
    let inner = "\(folder.path)/\(PathText.text(of: [0xFF]))/x"
    #expect(Folder.make(inner) && Folder.make(inner))
    for name in names.reversed() { try WholeFile.write(name, to: "\(inner)/\(PathText.text(of: name))") }
    let found = try #require(Folder.names(in: inner))
    #expect(found.map(PathText.bytes) == names)
    for name in found {
      #expect(try WholeFile.read("\(inner)/\(name)", limit: 10) == PathText.bytes(of: name))
      #expect(FileStatus.isFile("\(inner)/\(name)") && FileStatus("\(inner)/\(name)")?.byteCount ?? 0 > 0)
    }
    #expect(FileStatus.isFolder(inner) && !FileStatus.exists("\(inner)/none"))
    #expect(throws: FileFailure.self) { try WholeFile.read("\(inner)/none", limit: 1) }
    #expect(throws: FileFailure.self) { try WholeFile.read("\(inner)/\(names.count)", limit: 1) }
    #expect(throws: FileFailure.self) { try WholeFile.read(inner, limit: 1) }
  }

  @Test("a folder is counted and removed with all in it, and what its links lead to stays")
  func removal() throws {
    let folder = try TemporaryDirectory()
    let odd = "\(folder.path)/\(PathText.text(of: [0xFF]))"
    #expect(Folder.make("\(odd)/inner") && Folder.make("\(folder.path)/other"))
    try WholeFile.write([1, 2, 3], to: "\(odd)/inner/\(PathText.text(of: [0xE9]))")
    try WholeFile.write([4], to: "\(folder.path)/other/kept")
    #expect(symlink("\(folder.path)/other".systemPath, "\(odd)/link".systemPath) == 0)
    #expect(Folder.byteCount(of: odd) == 3)
    #expect(Folder.remove(odd) && !FileStatus.exists(odd) && Folder.remove(odd))
    #expect(try WholeFile.read("\(folder.path)/other/kept", limit: 9) == [4])
    #expect(WholeFile.text("\(folder.path)/other/kept") == "\u{4}" && WholeFile.text(odd) == nil)
    #expect(try WholeFile.beginning(of: "\(folder.path)/other/kept", byteCount: 4) == [4])
    let now = try #require(FileStatus("\(folder.path)/other/kept")).changed
    #expect(abs(now - Double(time(nil))) < 1000)
  }

  @Test("the parts of a path")
  func parts() {
    for (path, parent, name) in [
      ("a/b.h5", "a", "b.h5"), ("b.h5", ".", "b.h5"), ("/b", "/", "b"), ("/", "/", "/"), ("a//b/", "a", "b"),
      // An accent behind a slash makes one character of both, and still two parts.
      ("a/\u{301}b", "a", "\u{301}b"),
    ] {
      #expect(Array(Folder.parent(of: path).utf8) == Array(parent.utf8))
      #expect(Array(Folder.name(of: path).utf8) == Array(name.utf8))
    }
  }
}
