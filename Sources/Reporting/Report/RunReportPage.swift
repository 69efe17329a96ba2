/// The values that the template of a run's report shows, under the names that it uses.
struct RunReportPage {
  struct Section {
    let id: String
    let title: String
  }

  struct Fact {
    let name: String
    let value: String

    init(_ fact: RunReport.Fact) { (name, value) = (fact.name, fact.value) }
  }

  struct EpochRow {
    let cells: [String]
    let isBest: Bool
  }

  /// A class with its figures.
  struct ClassRow {
    let name: String
    let precision: String
    let recall: String
    let f1: String
    let count: String
  }

  /// A phase in the legend.
  struct Phase {
    let name: String
    /// The number of its colour.
    let number: Int
  }

  /// A rank's bar, with a part for each phase.
  struct RankRow {
    struct Part {
      let number: Int
      /// The part's width, in hundredths of the longest bar.
      let width: String
      let title: String
    }

    let name: String
    let parts: [Part]
    let seconds: String
  }

  struct MatrixCell {
    let count: String
    /// `none`, `right` or `wrong`.
    let kind: String
    let share: String
    let title: String
  }

  struct MatrixRow {
    let name: String
    let cells: [MatrixCell]
  }

  struct Confusion {
    let label: String
    let predicted: String
    let count: String
  }

  struct OutputRow {
    let name: String
    let values: [String]
  }

  struct Mistake {
    let image: String
    let label: String
    let predicted: String
    let percent: String
    let row: String
  }

  struct Filter {
    let image: String
    let number: String
  }

  var name = ""
  var run = ""
  var state = ""
  var sections: [Section] = []
  var highlights: [Fact] = []
  var notes: [String] = []
  var hasNotes = false

  var charts: [DrawnChart] = []
  var hasCharts = false

  var hasEpochs = false
  var epochColumns: [String] = []
  var epochs: [EpochRow] = []
  var hasTimes = false
  var times = ""

  var hasRanks = false
  var ranks: [RankRow] = []
  var phases: [Phase] = []

  /// A sentence on what the tables below are about.
  var evaluated = ""
  var hasClasses = false
  var classes: [ClassRow] = []
  var total = ClassRow(name: "", precision: "", recall: "", f1: "", count: "")
  var hasConfusion = false
  var showsMatrix = false
  var matrix: [MatrixRow] = []
  var hasConfusions = false
  var confusions: [Confusion] = []

  var hasOutputs = false
  var outputTitle = ""
  var outputColumns: [String] = []
  var outputs: [OutputRow] = []
  var outputTotals: [OutputRow] = []

  var hasMistakes = false
  var mistakes: [Mistake] = []
  var hasFilters = false
  var filters: [Filter] = []
  var filterLayer = ""
  var filterLegend = ""

  var configuration = ""
  var hasEnvironment = false
  var environment: [Fact] = []
}
