/// What the parts of a file's name mean: `{label}_{speaker}_{index}`.
///
/// A field in braces stands for as few characters as possible, at least one, and no slash; `*` stands for any characters but
/// a slash. Everything else stands for itself. A pattern without a slash is for the last part of a path, and one without a dot for
/// names without their endings.
public struct NamePattern: Sendable, Hashable {
  private enum Piece: Hashable {
    case text([UInt8])
    case field(String)
    case anything
  }

  private let pieces: [Piece]
  private let isForPaths: Bool
  private let isForEndings: Bool

  /// Reads a pattern.
  ///
  /// - Returns: nil where a brace has no partner, a field no name or the name of another, or two fields meet without anything between
  ///   them.
  public init?(_ text: String) {
    var pieces: [Piece] = []
    var names: Set<String> = []
    var literal: [UInt8] = []
    var rest = Array(text.utf8)[...]
    func isOpen(_ piece: Piece?) -> Bool { if case .text? = piece { false } else { piece != nil } }
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "*") else {
        if byte == UInt8(ascii: "}") { return nil }
        literal.append(byte)
        continue
      }
      if !literal.isEmpty { pieces.append(.text(literal)) }
      literal = []
      guard !isOpen(pieces.last) else { return nil }
      if byte == UInt8(ascii: "*") {
        pieces.append(.anything)
        continue
      }
      guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
      let name = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
      guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }),
        names.insert(name).inserted
      else { return nil }
      pieces.append(.field(name))
      rest = rest[(end + 1)...]
    }
    if !literal.isEmpty { pieces.append(.text(literal)) }
    guard !names.isEmpty else { return nil }
    self.pieces = pieces
    isForPaths = text.contains("/")
    isForEndings = text.contains(".")
  }

  /// The names of its fields.
  public var fields: [String] { pieces.compactMap { if case .field(let name) = $0 { name } else { nil } } }

  /// What the fields stand for in a path; nil where the path does not fit.
  public func fields(of path: String) -> [String: String]? {
    var name = Array(path.utf8)[...]
    if !isForPaths, let slash = name.lastIndex(of: UInt8(ascii: "/")) { name = name[(slash + 1)...] }
    if !isForEndings, let dot = name.lastIndex(of: UInt8(ascii: ".")),
      !name[dot...].contains(UInt8(ascii: "/"))
    {
      name = name[..<dot]
    }
    var found: [String: String] = [:]
    return matches(pieces[...], name, &found) ? found : nil
  }

  private func matches(
    _ pieces: ArraySlice<Piece>, _ name: ArraySlice<UInt8>, _ found: inout [String: String]
  ) -> Bool {
    guard let piece = pieces.first else { return name.isEmpty }
    let rest = pieces.dropFirst()
    let least: Int
    switch piece {
    case .text(let bytes):
      return name.starts(with: bytes) && matches(rest, name.dropFirst(bytes.count), &found)
    case .field: least = 1
    case .anything: least = 0
    }
    let reach = name.firstIndex(of: UInt8(ascii: "/")).map { $0 - name.startIndex } ?? name.count
    guard reach >= least else { return false }
    for count in least...reach where matches(rest, name.dropFirst(count), &found) {
      if case .field(let field) = piece {
        found[field] = String(decoding: name.prefix(count), as: UTF8.self)
      }
      return true
    }
    return false
  }
}
