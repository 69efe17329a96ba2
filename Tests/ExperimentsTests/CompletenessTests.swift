import Networks
import Settings
import TestSupport
import Testing

@testable import Experiments

/// Lists that tests go through, held to what configurations know.
@Suite("Lists of everything there is")
struct CompletenessTests {
  @Test("the list of layers is complete")
  func layers() {
    #expect(Set(LayerExample.all.map(\.spec.kind)) == Set(LayerSchema.union.kinds.map(\.name)))
  }
}
