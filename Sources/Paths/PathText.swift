internal import Glibc

/// Names of files as text, whatever bytes they have.
///
/// On Linux a name is any bytes but zero and the slash, and text is Unicode. A byte of a name that is no part of UTF-8 becomes one
/// character for private use, U+10F780 for 0x80 up to U+10F7FF for 0xFF; where a name has one of these characters itself, its
/// bytes are taken one by one. So every name has a text of its own and comes back from it byte by byte.
///
/// - SeeAlso: PEP 383, which solves the same for Python by lone surrogates; Swift's text cannot hold those.
public enum PathText {
  private static let escapes: ClosedRange<UInt32> = 0x10F780...0x10F7FF

  /// The text of a name or path.
  public static func text(of bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    // A character of that range begins with this byte, and most names have none.
    if !bytes.contains(0xF4), let text = String(validating: bytes, as: UTF8.self) { return text }
    var text = String.UnicodeScalarView()
    var parser = Unicode.UTF8.ForwardParser()
    var source = bytes.makeIterator()
    var position = 0
    func escape(_ count: Int) {
      for byte in bytes[position..<position + count] { text.append(scalar(of: byte)) }
    }
    while true {
      switch parser.parseScalar(from: &source) {
      case .valid(let encoded):
        let scalar = UTF8.decode(encoded)
        if escapes.contains(scalar.value) { escape(encoded.count) } else { text.append(scalar) }
        position += encoded.count
      case .error(let length):
        escape(length)
        position += length
      case .emptyInput: return String(text)
      }
    }
  }

  /// The text of a name or path that ends with a zero byte.
  public static func text(of name: UnsafePointer<CChar>) -> String {
    text(of: UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }

  /// The name or path that a text stands for.
  public static func bytes(of text: String) -> [UInt8] {
    guard text.utf8.contains(0xF4) else { return Array(text.utf8) }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if let byte = byte(of: scalar) { bytes.append(byte) } else { bytes += Array(String(scalar).utf8) }
    }
    return bytes
  }

  /// What a person can read: `caf\xE9` for a byte that is no part of UTF-8.
  public static func readable(_ text: String) -> String {
    guard text.utf8.contains(0xF4) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      guard let byte = byte(of: scalar) else {
        result.append(scalar)
        continue
      }
      result.append(contentsOf: "\\x\(String(byte, radix: 16, uppercase: true))".unicodeScalars)
    }
    return String(result)
  }

  /// Whether a name is UTF-8.
  public static func isUnicode(_ text: String) -> Bool {
    !text.utf8.contains(0xF4) || text.unicodeScalars.allSatisfy { byte(of: $0) == nil }
  }

  private static func scalar(of byte: UInt8) -> Unicode.Scalar {
    Unicode.Scalar(escapes.lowerBound + UInt32(byte & 0x7F)) ?? "\u{FFFD}"
  }

  private static func byte(of scalar: Unicode.Scalar) -> UInt8? {
    escapes.contains(scalar.value) ? UInt8(0x80 + scalar.value - escapes.lowerBound) : nil
  }
}

extension String {
  /// The path as system calls take it, with a zero byte at its end.
  public var systemPath: [CChar] { (PathText.bytes(of: self) + [0]).map { CChar(bitPattern: $0) } }
}

/// Paths in environment variables, as ``PathText`` has them.
public enum EnvironmentPath {
  /// The path in a variable.
  ///
  /// - Returns: nil where the variable is not set, or is empty.
  public static func value(of name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return PathText.text(of: value)
  }
}

/// The words of the command line as ``PathText`` has them; Swift's own list puts U+FFFD for what is not UTF-8.
public enum ProgramArguments {
  /// The file that this process runs; nil where the system does not say.
  public static var program: String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    return count > 0 ? PathText.text(of: bytes.prefix(count).map { UInt8(bitPattern: $0) }) : nil
  }

  /// The program's name and its arguments, in order.
  public static var all: [String] {
    let words = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    return words.compactMap { word in
      word.map { PathText.text(of: $0) }
    }
  }
}
