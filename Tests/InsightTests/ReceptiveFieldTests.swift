import Insight
import Networks
import Tensors
import Testing

@Suite("Receptive fields")
struct ReceptiveFieldTests {
  @Test("a place of the lecture's second convolution sees 8×8 pixels, two apart from its neighbour's")
  func lecture() throws {
    let network = try StandardNetwork.lecture.network().resolved()
    let size = try #require(ReceptiveField.size(of: "conv2d_1", in: network))
    #expect(size == Size2D(8))
    let field = try #require(ReceptiveField(row: 3, column: 10, of: "conv2d_1", in: network))
    #expect(field.rows == 6..<14)
    #expect(field.columns == 20..<28)
  }

  @Test("padding puts parts of a field outside the image, where they are cut off")
  func padding() throws {
    let network = try Network(
      inputShape: [9, 9, 1],
      chain: [.conv2D(Conv2D(filters: 2, kernel: Size2D(5), stride: Size2D(2), padding: .same))]
    ).resolved()
    let field = try #require(ReceptiveField(row: 0, column: 2, of: "conv2d", in: network))
    #expect(field.rows == 0..<3)
    #expect(field.columns == 2..<7)
  }
}
