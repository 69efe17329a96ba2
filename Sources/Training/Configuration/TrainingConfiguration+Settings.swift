internal import Compute
internal import Datasets
public import Settings

extension TrainingConfiguration {
  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<TrainingConfiguration>(
    "How the network learns.",
    TrainingConfiguration(epochs: 1, batch: 1, optimizer: .sgd(SGD(learningRate: 1))),
    [
      SettingKey(
        "epochs", \.epochs, .integer(1...1_000_000), default: .required, change: .extend,
        "Passes over the training samples."),
      SettingKey(
        "batch", \.batch, .integer(1...1 << 20), default: .required, "Samples of one optimizer step."),
      SettingKey(
        "shard", \.shard, .optional("auto", .integer(1...1 << 20)),
        "Samples that a worker takes at once, at most `batch`; part of the numerics, unlike the number of workers."
      ),
      SettingKey(
        "parallelism", \.parallelism, .word,
        "How workers share a step; part of the numerics, unlike their number. `intra` takes shards of 1 and fp32."
      ),
      SettingKey(
        "augmentation", \.augmentation, .augmentation,
        "How training samples are varied, in the order of the list; evaluation sees them as they are."),
      SettingKey(
        "loss", \.objective, TrainingObjective.settings.form, default: .required, "What is minimised."),
      SettingKey(
        "metrics", \.metrics, given: .list(.metric, count: 1...16),
        otherwise: Criterion.usualMetricsText,
        "Figures beside the loss, in this order in tables. Each sample counts once, whatever its weight."),
      SettingKey(
        "optimizer", \.optimizer, OptimizerConfiguration.settings.form, default: .required,
        "The rule that turns gradients into new parameters."),
      SettingKey(
        "base_batch", \.baseBatch, .optional("none", .integer(1...1 << 20)),
        "The batch for which the learning rate is meant; it is multiplied by the samples of a step over this (Goyal 2017)."
      ),
      SettingKey(
        "schedule", \.schedule, ScheduleConfiguration.settings.form, "How the learning rate moves."),
      SettingKey(
        "precision", \.precision, .word, "Number format of activations and weights in kernels."),
      SettingKey(
        "tuning", \.tuning, TuningConfiguration.settings.form,
        "How the kernel of each convolution is chosen. A run that is resumed keeps what it began with."),
      SettingKey(
        "weight_decay_on", \.weightDecayScope, .word,
        "Which parameters the optimizer's weight decay acts on."),
      SettingKey(
        "monitor", \.monitor, .monitoredFigure,
        default: .derived("accuracy where it is among the metrics, otherwise loss"),
        "The test figure (the training figure without test data) by which the best epoch is known: `loss` or one of the metrics."
      ),
      SettingKey(
        "patience", \.patience, .optional("none", .integer(1...1_000_000)),
        "Stops early when `monitor` has not improved for this many epochs."),
      SettingKey(
        "clipping", \.clipping, GradientClipping.settings.form,
        "A bound on the minibatch's mean gradient, before the optimizer."),
      SettingKey(
        "on_nonfinite", \.nonFinite, NonFinitePolicy.settings.form,
        "What happens when the loss or a gradient is NaN or infinite."),
      SettingKey(
        "accumulate", \.accumulate, .integer(1...65_536),
        "Minibatches of one optimizer step: with the same `shard`, to the byte what a `batch` so many times as large gives."
      ),
      SettingKey("limits", \.limits, EpochLimits.settings.form, "Bounds on the minibatches of an epoch."),
      SettingKey(
        "overfit_batches", \.overfitBatches, .optional("none", .integer(1...1 << 20)),
        "Trains on the first so many minibatches again and again, without augmentation, to see whether the network can learn "
          + "them; `convoy train --overfit-batches`."),
      SettingKey(
        "ema", \.average, .optional("none", MovingAverage.settings.form),
        "A running average of the parameters, which evaluation uses in their place."),
      SettingKey(
        "max_norm", \.maxNorm, .optional("none", MaxNorm.settings.form),
        "A bound on the norm of each filter or unit (Srivastava 2014)."),
      SettingKey(
        "weight_decay_rules", \.weightDecayRules, .weightDecayRules,
        "Weight decay by layers; the first rule for a parameter counts, `weight_decay_on` where there is none."
      ),
    ])

  /// The loss with the weights of classes.
  private var objective: TrainingObjective {
    get { TrainingObjective(loss: loss, classWeights: classWeights) }
    set { (loss, classWeights) = (newValue.loss, newValue.classWeights) }
  }
}
