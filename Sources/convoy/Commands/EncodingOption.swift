internal import ArgumentParser
internal import Datasets

/// The encoding of files of text.
struct EncodingOption: ParsableArguments {
  @Option(
    name: .customLong("encoding"),
    help: ArgumentHelp(
      "The encoding of the text, such as windows-1252, latin1, utf-16, gb18030; UTF-8 by default.",
      valueName: "name"))
  var name: String?

  /// Nil where none is given.
  var encoding: TextEncoding? { name.flatMap(TextEncoding.init) }

  func validate() throws {
    if let name, encoding == nil {
      throw ValidationError(
        "--encoding takes an encoding's name, such as windows-1252, latin1 or utf-16, not '\(name)'")
    }
  }
}
