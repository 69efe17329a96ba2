internal import ArgumentParser

@main
struct Convoy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convoy",
    abstract: "Trains convolutional networks on CPU nodes: exact, fast, and at home with Keras and Slurm.")
}
