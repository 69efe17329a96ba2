/// Guesses which of some words was meant by one that is none of them.
public enum Suggestion {
  /// `; did you mean 'train'?`, or nothing where none is near.
  public static func hint(_ word: String, among known: [String]) -> String {
    NearestName.hint(word, among: known)
  }
}
