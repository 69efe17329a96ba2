/// The words of other programs for the things that configurations name, so that a message can give our word.
///
/// They come from Keras, PyTorch, Caffe and scikit-learn. None of them is accepted: a setting has one spelling.
enum ForeignWords {
  /// Our words for another program's word, the likeliest first; empty where it is unknown.
  static func translations(of word: String) -> [String] {
    table[word.lowercased().filter { $0.isLetter || $0.isNumber }] ?? []
  }

  /// Our word for another program's word, where it is among the known ones.
  static func translation(of word: String, among known: [String]) -> String? {
    translations(of: word).first(where: known.contains)
  }

  /// The table, by the foreign word in lower case without what joins its parts.
  private static let table: [String: [String]] = [
    // Losses.
    "categoricalcrossentropy": ["softmax_cross_entropy"],
    "sparsecategoricalcrossentropy": ["softmax_cross_entropy"],
    "crossentropy": ["softmax_cross_entropy"], "crossentropyloss": ["softmax_cross_entropy"],
    "nll": ["softmax_cross_entropy"], "nllloss": ["softmax_cross_entropy"],
    "softmaxwithloss": ["softmax_cross_entropy"], "softmax": ["softmax_cross_entropy"],
    "binarycrossentropy": ["sigmoid_cross_entropy"], "bce": ["sigmoid_cross_entropy"],
    "bceloss": ["sigmoid_cross_entropy"], "bcewithlogits": ["sigmoid_cross_entropy"],
    "bcewithlogitsloss": ["sigmoid_cross_entropy"],
    "mse": ["mean_squared_error"], "mseloss": ["mean_squared_error"], "l2loss": ["mean_squared_error"],
    "mae": ["mean_absolute_error"], "maeloss": ["mean_absolute_error"], "l1loss": ["mean_absolute_error"],
    "huberloss": ["huber"], "smoothl1": ["huber"], "smoothl1loss": ["huber"],
    // Metrics.
    "acc": ["accuracy"], "categoricalaccuracy": ["accuracy"], "sparsecategoricalaccuracy": ["accuracy"],
    "binaryaccuracy": ["accuracy"], "valaccuracy": ["accuracy"], "valloss": ["loss"],
    "rmse": ["root_mean_squared_error"], "f1score": ["f1"], "r2score": ["r2"],
    // Layers.
    "convolution2d": ["conv2d"], "conv": ["conv2d"], "convolution": ["conv2d"], "convolution1d": ["conv1d"],
    "convtranspose2d": ["conv2d_transpose"], "deconvolution": ["conv2d_transpose"],
    "maxpooling2d": ["max_pool2d"], "maxpool": ["max_pool2d"], "maxpooling": ["max_pool2d"],
    "maxpooling1d": ["max_pool1d"],
    "averagepooling2d": ["average_pool2d"], "avgpool2d": ["average_pool2d"], "avgpool": ["average_pool2d"],
    "averagepooling1d": ["average_pool1d"], "avgpool1d": ["average_pool1d"],
    "globalaveragepooling2d": ["global_average_pool2d"], "adaptiveavgpool2d": ["global_average_pool2d"],
    "gap": ["global_average_pool2d"], "globalavgpool2d": ["global_average_pool2d"],
    "globalmaxpooling2d": ["global_max_pool2d"], "adaptivemaxpool2d": ["global_max_pool2d"],
    "globalaveragepooling1d": ["global_average_pool1d"], "globalmaxpooling1d": ["global_max_pool1d"],
    "batchnormalization": ["batch_norm"], "batchnorm2d": ["batch_norm"], "batchnorm1d": ["batch_norm"],
    "bn": ["batch_norm"], "layernormalization": ["layer_norm"], "groupnormalization": ["group_norm"],
    "gn": ["group_norm"], "instancenorm": ["group_norm"], "instancenorm2d": ["group_norm"],
    "instancenormalization": ["group_norm"],
    "lrn": ["local_response_norm"],
    "linear": ["dense"], "fullyconnected": ["dense"], "fc": ["dense"], "innerproduct": ["dense"],
    "rescaling": ["rescale"], "concatenate": ["concat"], "upsample": ["up_sampling2d"],
    "pad": ["zero_padding2d"], "zeropad2d": ["zero_padding2d"], "crop": ["cropping2d"],
    "dropout2d": ["dropout"], "spatialdropout2d": ["dropout"],
    // Keys.
    "lr": ["learning_rate"], "learningrate": ["learning_rate"], "baselr": ["learning_rate"],
    "initiallearningrate": ["learning_rate"], "eta": ["learning_rate"],
    "batchsize": ["batch"], "minibatch": ["batch"], "minibatchsize": ["batch"],
    "numepochs": ["epochs"], "nepochs": ["epochs"], "maxepochs": ["epochs"], "nbepoch": ["epochs"],
    "epoch": ["epochs"], "criterion": ["loss"], "lossfunction": ["loss"], "objective": ["loss"],
    "optim": ["optimizer"], "solver": ["optimizer"], "lrscheduler": ["schedule"], "scheduler": ["schedule"],
    "lrschedule": ["schedule"], "learningrateschedule": ["schedule"],
    "beta1": ["beta1"], "beta2": ["beta2"], "eps": ["epsilon"], "wd": ["weight_decay"],
    "l2": ["weight_decay"], "l2regularization": ["weight_decay"],
    "kernelsize": ["kernel"], "filtersize": ["kernel"], "kernelshape": ["kernel"], "poolsize": ["size"],
    "strides": ["stride"], "outchannels": ["filters"], "nfilters": ["filters"], "numfilters": ["filters"],
    "numoutput": ["units", "filters"], "outfeatures": ["units"], "neurons": ["units"], "p": ["rate"],
    "dropoutrate": ["rate"], "usebias": ["bias"], "inputshape": ["input"], "inputsize": ["input"],
    "randomseed": ["seed"], "rngseed": ["seed"], "model": ["network"], "architecture": ["network"],
    "dataset": ["data"], "callbacks": ["checkpoints"], "earlystopping": ["patience"],
    "gradclip": ["clipping"], "gradientclipping": ["clipping"], "clipnorm": ["clipping"],
    "globalclipnorm": ["clipping"], "labelsmoothing": ["label_smoothing"], "classweight": ["class_weights"],
    "validationsplit": ["validation"], "valsplit": ["validation"], "val": ["validation"],
    "valid": ["validation"], "test": ["evaluation"], "validation": ["evaluation"],
    "transforms": ["augmentation"], "accumulategradbatches": ["accumulate"],
    "gradientaccumulation": ["accumulate"], "gradaccum": ["accumulate"],
    "earlystoppingpatience": ["patience"], "x": ["images"], "y": ["labels"],
    // Values.
    "bfloat16": ["bf16"], "float32": ["fp32"], "mixed": ["bf16"], "amp": ["bf16"], "float16": ["bf16"],
    "fp16": ["bf16"], "half": ["bf16"],
    "reducelronplateau": ["plateau"], "cosinedecay": ["cosine"], "cosineannealing": ["cosine"],
    "cosineannealinglr": ["cosine"], "steplr": ["step"], "multisteplr": ["step"],
    "exponentiallr": ["exponential"], "exponentialdecay": ["exponential"], "onecyclelr": ["one_cycle"],
    "momentum": ["sgd"],
  ]
}
