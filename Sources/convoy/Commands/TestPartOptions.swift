internal import ArgumentParser
internal import Datasets

/// The choice of samples to test on by chance, class by class: a share of them, or one of several parts.
struct TestPartOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Test on this share of each class.", valueName: "share"))
  var testShare: Double?

  @Option(
    2...1 << 20,
    help: ArgumentHelp("Cut the samples into this many parts, for cross-validation.", valueName: "n"))
  var folds: Int?

  @Option(1...1 << 20, help: ArgumentHelp("The part to test on, from 1.", valueName: "k"))
  var fold: Int?

  @Option(
    help: ArgumentHelp("Decides which samples are tested on, with --folds and --test-share.", valueName: "n"))
  var seed: UInt64 = 0

  /// What chance decides.
  enum Choice {
    case fold(Fold)
    case share(Double, seed: UInt64)
  }

  /// Nil where neither option is given.
  var choice: Choice? {
    if let folds, let fold { return .fold(Fold(fold, of: folds, seed: seed)) }
    return testShare.map { .share($0, seed: seed) }
  }

  /// How many of --folds and --test-share are given.
  var count: Int { [folds != nil, testShare != nil].count { $0 } }

  func validate() throws {
    guard (folds == nil) == (fold == nil) else { throw ValidationError("--folds and --fold need each other") }
    if let folds, let fold, fold > folds { throw ValidationError("there is no part \(fold) of \(folds)") }
    if let testShare, !(testShare > 0 && testShare < 1) {
      throw ValidationError("--test-share takes a number between 0 and 1, not \(testShare)")
    }
  }
}
