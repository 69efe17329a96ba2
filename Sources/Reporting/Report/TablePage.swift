internal import Mustache

/// A web page of tables and charts, like a run's report: one file, no scripts, light and dark.
public struct TablePage: Sendable {
  public struct Part: Sendable {
    public let title: String
    public let table: Table?
    public let text: [String]
    public let charts: [Chart]

    public init(_ title: String, table: Table? = nil, text: [String] = [], charts: [Chart] = []) {
      self.title = title
      self.table = table
      self.text = text
      self.charts = charts
    }
  }

  public let kind: String
  public let title: String
  public let parts: [Part]

  public init(kind: String, title: String, parts: [Part]) {
    self.kind = kind
    self.title = title
    self.parts = parts
  }

  /// The page; a chart that gnuplot does not draw is replaced by a note that says why.
  public func html() throws -> String {
    let parts = parts.map { part -> [String: Any] in
      var text = part.text
      var svgs: [[String: String]] = []
      for chart in part.charts where !chart.isEmpty {
        do throws(Gnuplot.Failure) {
          svgs.append(["title": chart.title, "svg": try Gnuplot.svg(chart)])
        } catch {
          text.append("\(chart.title) is not drawn: \(error).")
        }
      }
      var values: [String: Any] = [
        "title": part.title, "text": text, "charts": svgs, "hasCharts": !svgs.isEmpty,
        "hasTable": part.table != nil,
      ]
      if let table = part.table {
        func cells(_ row: [String]) -> [[String: Any]] {
          zip(row, table.columns).map { ["text": $0, "isText": $1.alignment == .leading] }
        }
        values["columns"] = cells(table.columns.map(\.title))
        values["rows"] = table.rows.map { ["cells": cells($0)] }
      }
      return values
    }
    return try MustacheTemplate(string: Self.template).render([
      "kind": kind, "title": title, "parts": parts,
    ])
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
