internal import Mustache

/// A web page of tables and charts in the style of a run's report: one file without scripts.
public struct TablePage: Sendable {
  /// A heading with the text, table and charts below it.
  public struct Part: Sendable {
    /// The heading.
    public let title: String
    /// The table; nil for none.
    public let table: Table?
    /// Paragraphs above the table.
    public let text: [String]
    /// The charts below the table.
    public let charts: [Chart]

    /// A part of a page.
    public init(_ title: String, table: Table? = nil, text: [String] = [], charts: [Chart] = []) {
      self.title = title
      self.table = table
      self.text = text
      self.charts = charts
    }
  }

  /// The line above the title that says what the page is.
  public let kind: String
  /// The title.
  public let title: String
  /// The parts, from top to bottom.
  public let parts: [Part]

  /// A page of these parts.
  public init(kind: String, title: String, parts: [Part]) {
    self.kind = kind
    self.title = title
    self.parts = parts
  }

  /// The page as HTML; where gnuplot does not draw a chart, a note says why.
  public func html() throws -> String {
    try MustacheTemplate(string: Self.template).render(
      Content(kind: kind, title: title, parts: parts.map(Self.content)))
  }

  private static func content(of part: Part) -> Content.Part {
    var text = part.text
    var charts: [DrawnChart] = []
    for chart in part.charts where !chart.isEmpty {
      do throws(Gnuplot.Failure) { charts.append(try DrawnChart(chart)) } catch {
        text.append("\(chart.title) is not drawn: \(error).")
      }
    }
    func cells(_ row: [String]) -> [Content.Cell] {
      zip(row, part.table?.columns ?? []).map { Content.Cell(text: $0, isText: $1.alignment == .leading) }
    }
    return Content.Part(
      title: part.title, text: text, hasTable: part.table != nil,
      columns: cells(part.table?.columns.map(\.title) ?? []),
      rows: (part.table?.rows ?? []).map { Content.Row(cells: cells($0)) }, hasCharts: !charts.isEmpty,
      charts: charts)
  }

  /// The values that the template shows, under the names that it uses.
  private struct Content {
    struct Cell {
      let text: String
      let isText: Bool
    }

    struct Row {
      let cells: [Cell]
    }

    struct Part {
      let title: String
      let text: [String]
      let hasTable: Bool
      let columns: [Cell]
      let rows: [Row]
      let hasCharts: Bool
      let charts: [DrawnChart]
    }

    let kind: String
    let title: String
    let parts: [Part]
  }

  private static let template = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>{{title}}</title>
    <style>\(ReportTemplate.style)</style>
    </head>
    <body>
    <header><p class="kind">{{kind}}</p><h1>{{title}}</h1></header>
    <main>
    {{#parts}}
    <section><h2>{{title}}</h2>
    {{#text}}<p>{{.}}</p>{{/text}}
    {{#hasTable}}<div class="wide"><table>
    <thead><tr>{{#columns}}<th{{#isText}} class="text"{{/isText}}>{{text}}</th>{{/columns}}</tr></thead>
    <tbody>{{#rows}}<tr>{{#cells}}<td{{#isText}} class="text"{{/isText}}>{{text}}</td>{{/cells}}</tr>{{/rows}}</tbody>
    </table></div>{{/hasTable}}
    {{#hasCharts}}<div class="charts">{{#charts}}<figure>{{{svg}}}<figcaption>{{title}}</figcaption></figure>{{/charts}}</div>{{/hasCharts}}
    </section>
    {{/parts}}
    </main>
    </body>
    </html>

    """
}

/// A chart on a page.
struct DrawnChart {
  let title: String
  let svg: String

  init(_ chart: Chart) throws(Gnuplot.Failure) { (title, svg) = (chart.title, try Gnuplot.svg(chart)) }
}
