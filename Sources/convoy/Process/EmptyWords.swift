/// Empty words on the command line, which are mistakes wherever they stand.
///
/// They come from a shell's variables that are not set, as in `--run-dir "$DIR"`. As the name of a folder the empty text would be the
/// root of the file system, and no option or argument means anything by it.
enum EmptyWords {
  /// Refuses an empty word, and an option such as `--run-dir=` without its value.
  ///
  /// - Throws: ``CommandError`` that says where it stands.
  static func check(_ arguments: [String]) throws(CommandError) {
    for (index, word) in arguments.enumerated() {
      if word.isEmpty {
        let before = index > 0 ? arguments[index - 1] : "convoy"
        throw refusal("the word after '\(before)' is empty")
      }
      if word.hasPrefix("--"), word.firstIndex(of: "=") == word.indices.last {
        throw refusal("\(word.dropLast()) has an empty value")
      }
    }
  }

  private static func refusal(_ what: String) -> CommandError {
    .usage("\(what); write a value there, and see whether a variable of the shell is not set")
  }
}
