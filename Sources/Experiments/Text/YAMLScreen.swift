internal import Settings

/// Looks over the text of a configuration before the YAML parser sees it, and refuses what configurations do without.
///
/// Anchors and aliases make short files expand without end, tags and directives change what text means, and text over several
/// lines hides mistakes in indentation. A small, plain part of YAML remains: maps, lists, scalars on one line, comments. This also
/// finds duplicate keys, because the parser names only the first of them.
struct YAMLScreen {
  static let depthLimit = 32
  static let scalarLimit = 64 << 10

  /// An open block or bracket, and the keys seen in it.
  private struct Level {
    var line: Int
    var column: Int
    var closing: Unicode.Scalar?
    var keys: [String: Int] = [:]
  }

  private enum Token {
    case none, separator, plain, quoted, closing
  }

  private let path: (Int, Int) -> ConfigurationLocation
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var line = 1
  private var column = 1
  private var levels: [Level] = []
  private var last = Token.none
  private var lastLine = 1
  private var lastColumn = 1
  private var lastText = ""
  private var sawContent = false
  /// Whether there was a mistake after which the rest of the text would be misread.
  private var isLost = false
  private var errors: [ConfigurationError] = []

  private init(_ text: String, location: @escaping (Int, Int) -> ConfigurationLocation) {
    scalars = Array(text.unicodeScalars)
    path = location
  }

  /// Checks a text.
  ///
  /// - Parameter location: makes a place from a line and a column.
  static func check(
    _ text: String, location: @escaping (_ line: Int, _ column: Int) -> ConfigurationLocation
  ) throws(ConfigurationErrors) {
    var screen = YAMLScreen(text, location: location)
    screen.scan()
    if !screen.errors.isEmpty { throw ConfigurationErrors(screen.errors) }
  }

  // MARK: - Reading

  private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private func peek(_ offset: Int) -> Unicode.Scalar? {
    index + offset < scalars.count ? scalars[index + offset] : nil
  }

  private func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
    guard let scalar else { return true }
    return scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
  }

  private func isFlowIndicator(_ scalar: Unicode.Scalar?) -> Bool {
    scalar.map { ",[]{}".unicodeScalars.contains($0) } ?? false
  }

  private var inFlow: Bool { levels.last?.closing != nil }

  private mutating func advance() {
    guard let scalar = current else { return }
    index += 1
    if scalar == "\n" || (scalar == "\r" && current != "\n") {
      line += 1
      column = 1
    } else {
      column += 1
    }
  }

  private mutating func refuse(_ message: String) { refuse(message, line: line, column: column) }

  private mutating func refuse(_ message: String, line: Int, column: Int) {
    if errors.count < ErrorCollector.limit { errors.append(ConfigurationError(path(line, column), message)) }
  }

  // MARK: - Tokens

  private mutating func scan() {
    while let scalar = current {
      if isBlank(scalar) {
        advance()
      } else if scalar == "#" {
        while let next = current, next != "\n", next != "\r" { advance() }
      } else if column == 1, isDocumentMarker() {
        if stopAfterMarker() { return }
      } else if column == 1, scalar == "%" {
        refuse("directives ('%') are not used in configurations")
        return
      } else {
        sawContent = true
        token(scalar)
      }
      if levels.count > YAMLScreen.depthLimit {
        refuse("nested more than \(YAMLScreen.depthLimit) levels deep")
        return
      }
      if isLost || errors.count >= ErrorCollector.limit { return }
    }
  }

  private func isDocumentMarker() -> Bool {
    guard let first = current, first == "-" || first == "." else { return false }
    return peek(1) == first && peek(2) == first && isBlank(peek(3))
  }

  /// A single `---` may open the file; any other marker would start or end another document.
  private mutating func stopAfterMarker() -> Bool {
    if current == "." {
      refuse("'...' ends a document; a configuration is one document without it")
      return true
    }
    if sawContent {
      refuse("a second document starts here; a configuration is one document")
      return true
    }
    sawContent = true
    for _ in 0..<3 { advance() }
    return false
  }

  private mutating func token(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "[", "{":
      checkContinuation()
      levels.append(Level(line: line, column: column, closing: scalar == "[" ? "]" : "}"))
      note(.separator)
      advance()
    case "]", "}":
      if inFlow { levels.removeLast() }
      note(.closing)
      advance()
    case ",":
      note(.separator)
      advance()
    case "-" where isBlank(peek(1)):
      if !inFlow { open(column) }
      note(.separator)
      advance()
    case "?" where isBlank(peek(1)) || inFlow:
      refuse("'?' keys are not used in configurations; write 'key: value'")
      advance()
    case ":" where isBlank(peek(1)) || inFlow:
      if last == .plain || last == .quoted { key(lastText, line: lastLine, column: lastColumn) }
      note(.separator)
      advance()
    case "&": refuseWord("anchors ('&') are not used in configurations; repeat the value, or use 'extends'")
    case "*":
      refuseWord("aliases ('*') are not used in configurations; write the value, in quotes if it is text")
    case "!": refuseWord("tags ('!') are not used in configurations; the key decides the type")
    case "|" where !inFlow, ">" where !inFlow:
      refuseWord("text blocks ('\(scalar)') are not used in configurations; write the text in quotes")
    case "'", "\"":
      checkContinuation()
      quoted(by: scalar)
    default:
      checkContinuation()
      plain()
    }
  }

  private mutating func note(_ token: Token, text: String = "", line: Int? = nil, column: Int? = nil) {
    last = token
    lastText = text
    lastLine = line ?? self.line
    lastColumn = column ?? self.column
  }

  private mutating func refuseWord(_ message: String) {
    refuse(message)
    while let next = current, !isBlank(next), !isFlowIndicator(next) { advance() }
    note(.separator)
  }

  /// Refuses a scalar that follows another with nothing between them: the two would be joined.
  private mutating func checkContinuation() {
    guard last == .plain || last == .quoted || last == .closing else { return }
    if inFlow, let level = levels.last {
      let bracket = level.closing == "]" ? "[" : "{"
      refuse("a ',' is missing before this, or the '\(bracket)' of line \(level.line) is not closed")
      isLost = true
    } else if last == .plain, line > lastLine, column > (levels.last?.column ?? 0) {
      refuse(
        "this line continues the text of line \(lastLine); check the indentation and look for a missing ':'")
    }
  }

  private mutating func quoted(by quote: Unicode.Scalar) {
    let (startLine, startColumn) = (line, column)
    var text = String.UnicodeScalarView()
    advance()
    while let scalar = current, scalar != "\n", scalar != "\r" {
      if scalar == "\\", quote == "\"" {
        text.append(scalar)
        advance()
      } else if scalar == quote {
        guard quote == "'", peek(1) == "'" else { break }
        advance()
      }
      if let inner = current, inner != "\n", inner != "\r" {
        text.append(inner)
        advance()
      }
    }
    guard current == quote else {
      refuse("this quote is not closed on its line", line: startLine, column: startColumn)
      isLost = true
      return
    }
    advance()
    checkLength(text.count, line: startLine, column: startColumn)
    note(.quoted, text: String(text), line: startLine, column: startColumn)
  }

  private mutating func plain() {
    let (startLine, startColumn, start) = (line, column, index)
    while let scalar = current, scalar != "\n", scalar != "\r" {
      if scalar == ":", isBlank(peek(1)) || (inFlow && isFlowIndicator(peek(1))) { break }
      if scalar == "#", index > start, isBlank(scalars[index - 1]) { break }
      if inFlow, isFlowIndicator(scalar) { break }
      advance()
    }
    var end = index
    while end > start, isBlank(scalars[end - 1]) { end -= 1 }
    checkLength(end - start, line: startLine, column: startColumn)
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<end])
    note(.plain, text: String(text), line: startLine, column: startColumn)
  }

  private mutating func checkLength(_ count: Int, line: Int, column: Int) {
    if count > YAMLScreen.scalarLimit { refuse("text longer than 64 KiB", line: line, column: column) }
  }

  // MARK: - Levels

  /// Closes deeper blocks and opens one at this column, unless it is open.
  private mutating func open(_ column: Int) {
    while let top = levels.last, top.closing == nil, top.column > column { levels.removeLast() }
    if levels.last.map({ $0.column < column }) ?? true { levels.append(Level(line: line, column: column)) }
  }

  private mutating func key(_ text: String, line: Int, column: Int) {
    if !inFlow { open(column) }
    guard let top = levels.indices.last, levels[top].closing != "]" else { return }
    if text == "<<" {
      refuse(
        "merge keys ('<<') are not used in configurations; use 'extends'", line: line, column: column)
    } else if let first = levels[top].keys[text] {
      refuse(
        "the key '\(text.shortened)' appears twice here; the first is on line \(first)", line: line,
        column: column)
    } else {
      levels[top].keys[text] = line
    }
  }
}
