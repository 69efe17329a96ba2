/// What the name of a folder says of the samples in it, in the spellings that people use.
enum SplitRole: Int, CaseIterable {
  case train, validation, test

  /// The role in a name such as `Training`, `test_set` or `val2017`; nil where it says nothing.
  init?(folder: String) {
    var word = folder.lowercased().filter { $0.isLetter }[...]
    for end in ["dataset", "set", "data", "images", "imgs", "split", "dir", "folder"]
    where word.hasSuffix(end) {
      word = word.dropLast(end.count)
      break
    }
    switch word {
    case "train", "training", "trn": self = .train
    case "validation", "valid", "val", "validate", "validating", "dev", "eval", "evaluation":
      self = .validation
    case "test", "testing", "tst": self = .test
    default: return nil
    }
  }

  /// Two folders of a list that are for training and for something else, where all others say what they are for as well.
  static func pair(in folders: [String]) -> (training: String, other: String)? {
    let roles = folders.map { SplitRole(folder: $0) }
    guard let training = roles.firstIndex(of: .train), !roles.contains(nil),
      let other = roles.firstIndex(where: { $0 != .train })
    else { return nil }
    return (folders[training], folders[other])
  }
}
