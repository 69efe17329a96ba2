/// Tables as comma-separated values (RFC 4180), with lines that end as Unix ends them.
public enum CSVText {
  /// The lines of a table.
  ///
  /// - Parameter rows: the names of the columns first.
  public static func text(_ rows: some Sequence<[String]>) -> String {
    rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
