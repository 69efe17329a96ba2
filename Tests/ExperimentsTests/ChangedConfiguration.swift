import Settings
import Testing

@testable import Experiments

/// The base of the broken configurations with some of its text replaced.
enum ChangedConfiguration {
  static func load(_ edits: [(String, String)] = [], set overrides: [String] = []) throws
    -> LoadedConfiguration
  {
    var text = try BrokenConfiguration.base()
    for (old, new) in edits {
      try #require(text.contains(old))
      text = text.replacing(old, with: new)
    }
    return try ConfigurationFile.load(
      text: text, path: "/configs/c.yaml", overrides: overrides.map { Override($0) })
  }

  static func messages(_ edits: [(String, String)] = [], set overrides: [String] = []) -> [String] {
    do {
      _ = try load(edits, set: overrides)
      return []
    } catch {
      return (error as? ConfigurationErrors)?.errors.map(\.description) ?? ["\(error)"]
    }
  }
}
